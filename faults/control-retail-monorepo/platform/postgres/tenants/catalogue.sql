-- squad: catalogue; reads and writes through its own service, which is deployed from its own repository
SELECT 'CREATE DATABASE catalogue' WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'catalogue') \gexec
\connect catalogue
CREATE TABLE IF NOT EXISTS articles (sku text PRIMARY KEY, title text NOT NULL, price_cents integer NOT NULL CHECK (price_cents >= 0));
INSERT INTO articles SELECT 'SKU-' || n, 'article ' || n, n * 10 FROM generate_series(1, 500) AS n ON CONFLICT DO NOTHING;
