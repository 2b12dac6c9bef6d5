-- All counts are forgotten, and from where secrets were used.

ALTER TABLE client_secrets DROP COLUMN last_used_source;
DROP TABLE usage_writers;
DROP TABLE usage;
