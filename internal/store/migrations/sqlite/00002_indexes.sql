-- Polling looks for changes by version, a reload for the rows of one module.

-- +goose Up
CREATE INDEX IF NOT EXISTS RouteData_module ON RouteData (modid, cmdid);
CREATE INDEX IF NOT EXISTS RouteChange_version ON RouteChange (version);
