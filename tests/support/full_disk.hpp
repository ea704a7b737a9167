#pragma once
// A disk that is full for one store, until it has room again. SQLite's database may not grow. PostgreSQL's tables say what they say on a full
// disk (SQLSTATE 53100); the server's own disk is left alone.
#include <stdexcept>
#include <string>
#include "support/placed.hpp"
#ifdef LOGGIA_HAS_POSTGRES
#include "storage/postgres/connection.hpp"
#endif

namespace loggia::test {

class FullDisk {
 public:
  /// `store`: in memory, with this many pages at most, or a schema.
  FullDisk(Database& store, int pages) : store_{store} {
    if (!on_postgres()) allow(pages);
    else
      run(R"sql(
CREATE FUNCTION no_room() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN RAISE SQLSTATE '53100' USING MESSAGE = 'could not extend file'; END $$;
DO $$ DECLARE one TEXT; BEGIN
  FOR one IN SELECT tablename FROM pg_tables WHERE schemaname = current_schema() AND tablename <> 'kernel_writer' LOOP
    EXECUTE format('CREATE TRIGGER no_room BEFORE INSERT OR UPDATE ON %I EXECUTE FUNCTION no_room()', one);
  END LOOP;
END $$)sql");
  }
  void make_room() {
    if (on_postgres()) run("DROP FUNCTION no_room() CASCADE");
    else allow(1000000);
  }

 private:
  void allow(int pages) {
    const auto done =
        store_.read_now([pages](Query& query) -> Result<bool> { return query.select("PRAGMA max_page_count=" + std::to_string(pages))->next(); });
    if (!done.value()) throw std::runtime_error("SQLite takes no limit");
  }
  /// By a session of the test's own.
  void run([[maybe_unused]] const std::string& sql) {
#ifdef LOGGIA_HAS_POSTGRES
    postgres::Target target;
    target.url = postgres();
    target.name = "full disk";
    target.schema = store_
                        .read_now([](Query& query) -> Result<std::string> {
                          auto rows = query.select("SELECT current_schema()");
                          return rows->next() ? rows->string(0) : "";
                        })
                        .value();
    postgres::Connection(target).run(sql);
#endif
  }

  Database& store_;
};

}  // namespace loggia::test
