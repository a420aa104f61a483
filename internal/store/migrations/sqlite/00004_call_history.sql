-- What agents counted, by the minute, and how far each agent's numbered
-- reports are in it. Both are written in one transaction.

-- +goose Up
CREATE TABLE IF NOT EXISTS CallHistory (
  minute INTEGER NOT NULL,
  modid INTEGER NOT NULL,
  cmdid INTEGER NOT NULL,
  ip INTEGER NOT NULL,
  port INTEGER NOT NULL,
  caller INTEGER NOT NULL,
  succ_cnt INTEGER NOT NULL,
  err_cnt INTEGER NOT NULL,
  PRIMARY KEY (minute, modid, cmdid, ip, port, caller)
);
CREATE INDEX IF NOT EXISTS CallHistory_module ON CallHistory (modid, cmdid, minute);

CREATE TABLE IF NOT EXISTS ReportSequence (
  caller INTEGER NOT NULL,
  boot_id INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  seen INTEGER NOT NULL,
  PRIMARY KEY (caller, boot_id)
);
