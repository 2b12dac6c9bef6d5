-- What a partner may obtain, what one client may, and from where a client may come. Null: unbounded, anywhere.
--
-- A plan and an allowance are one JSON text each: they are read and written whole, and nothing is looked for in them. The
-- networks of a client are one text, separated by single spaces.

ALTER TABLE partners ADD COLUMN plan TEXT;
ALTER TABLE clients ADD COLUMN limits TEXT;
ALTER TABLE clients ADD COLUMN allowed_sources TEXT;
