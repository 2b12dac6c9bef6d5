-- Limits are forgotten: everyone may obtain what they like, from anywhere.

ALTER TABLE clients DROP COLUMN allowed_sources;
ALTER TABLE clients DROP COLUMN limits;
ALTER TABLE partners DROP COLUMN plan;
