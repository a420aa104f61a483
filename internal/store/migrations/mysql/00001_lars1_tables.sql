-- The tables of Lars 1.0, column for column. They are left alone where they exist.

-- +goose Up
CREATE TABLE IF NOT EXISTS RouteData (
  id int(10) unsigned NOT NULL AUTO_INCREMENT,
  modid int(10) unsigned NOT NULL,
  cmdid int(10) unsigned NOT NULL,
  serverip int(10) unsigned NOT NULL,
  serverport int(10) unsigned NOT NULL,
  PRIMARY KEY (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE IF NOT EXISTS RouteVersion (
  id int(10) unsigned NOT NULL AUTO_INCREMENT,
  version int(10) unsigned NOT NULL,
  PRIMARY KEY (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

INSERT INTO RouteVersion (id, version)
  SELECT 1, 0 FROM DUAL WHERE NOT EXISTS (SELECT 1 FROM RouteVersion);

CREATE TABLE IF NOT EXISTS RouteChange (
  id int(10) unsigned NOT NULL AUTO_INCREMENT,
  modid int(10) unsigned NOT NULL,
  cmdid int(10) unsigned NOT NULL,
  version bigint(20) unsigned NOT NULL,
  PRIMARY KEY (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE IF NOT EXISTS ServerCallStatus (
  modid int(11) NOT NULL,
  cmdid int(11) NOT NULL,
  ip int(11) unsigned NOT NULL,
  port int(11) unsigned NOT NULL,
  caller int(11) unsigned NOT NULL,
  succ_cnt int(11) NOT NULL,
  err_cnt int(11) NOT NULL,
  ts bigint(20) NOT NULL,
  overload char(1) NOT NULL,
  PRIMARY KEY (modid, cmdid, ip, port, caller),
  KEY mlb_index (modid, cmdid, ip, port, caller)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE IF NOT EXISTS ModIDConfig (
  id int(10) unsigned NOT NULL AUTO_INCREMENT,
  modid int(10) unsigned NOT NULL,
  content char(255) NOT NULL,
  PRIMARY KEY (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE IF NOT EXISTS CmdIDConfig (
  id int(10) unsigned NOT NULL AUTO_INCREMENT,
  cmdid int(10) unsigned NOT NULL,
  content char(255) NOT NULL,
  PRIMARY KEY (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
