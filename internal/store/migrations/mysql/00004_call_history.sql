-- What agents counted, by the minute, and how far each agent's numbered
-- reports are in it. Both are written in one transaction.

-- +goose Up
CREATE TABLE IF NOT EXISTS CallHistory (
  minute int unsigned NOT NULL,
  modid int NOT NULL,
  cmdid int NOT NULL,
  ip int unsigned NOT NULL,
  port int unsigned NOT NULL,
  caller int unsigned NOT NULL,
  succ_cnt bigint NOT NULL,
  err_cnt bigint NOT NULL,
  PRIMARY KEY (minute, modid, cmdid, ip, port, caller),
  KEY CallHistory_module (modid, cmdid, minute)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE IF NOT EXISTS ReportSequence (
  caller int unsigned NOT NULL,
  boot_id bigint NOT NULL,
  seq bigint NOT NULL,
  seen int unsigned NOT NULL,
  PRIMARY KEY (caller, boot_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
