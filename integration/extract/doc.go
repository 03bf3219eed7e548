// Package extract tests the extraction of records from databases: a PostgreSQL
// and a MariaDB that it starts.
package extract
