-- The tables of Lars 1.0, column for column. They are left alone where they exist.
--
-- STRICT, so that a slip in hand-written SQL cannot put text where every
-- reader expects a number. The ids of modules are unsigned as in MySQL: -3 is
-- 4294967293, and -3 itself is refused, as no reader would look for it.

-- +goose Up
CREATE TABLE IF NOT EXISTS RouteData (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  modid INTEGER NOT NULL CHECK (modid BETWEEN 0 AND 4294967295),
  cmdid INTEGER NOT NULL CHECK (cmdid BETWEEN 0 AND 4294967295),
  serverip INTEGER NOT NULL,
  serverport INTEGER NOT NULL
) STRICT;

CREATE TABLE IF NOT EXISTS RouteVersion (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  version INTEGER NOT NULL
) STRICT;

INSERT INTO RouteVersion (id, version)
  SELECT 1, 0 WHERE NOT EXISTS (SELECT 1 FROM RouteVersion);

CREATE TABLE IF NOT EXISTS RouteChange (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  modid INTEGER NOT NULL CHECK (modid BETWEEN 0 AND 4294967295),
  cmdid INTEGER NOT NULL CHECK (cmdid BETWEEN 0 AND 4294967295),
  version INTEGER NOT NULL
) STRICT;

CREATE TABLE IF NOT EXISTS ServerCallStatus (
  modid INTEGER NOT NULL,
  cmdid INTEGER NOT NULL,
  ip INTEGER NOT NULL,
  port INTEGER NOT NULL,
  caller INTEGER NOT NULL,
  succ_cnt INTEGER NOT NULL,
  err_cnt INTEGER NOT NULL,
  ts INTEGER NOT NULL,
  overload TEXT NOT NULL,
  PRIMARY KEY (modid, cmdid, ip, port, caller)
) STRICT;

CREATE TABLE IF NOT EXISTS ModIDConfig (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  modid INTEGER NOT NULL CHECK (modid BETWEEN 0 AND 4294967295),
  content TEXT NOT NULL
) STRICT;

CREATE TABLE IF NOT EXISTS CmdIDConfig (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  cmdid INTEGER NOT NULL CHECK (cmdid BETWEEN 0 AND 4294967295),
  content TEXT NOT NULL
) STRICT;
