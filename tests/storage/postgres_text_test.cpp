// One SQL text for both engines: what PostgreSQL is given.
#include <doctest/doctest.h>
#include "storage/postgres/text.hpp"

namespace loggia::postgres {

TEST_CASE("parameters get PostgreSQL's sign, and what stands in texts, names and comments stays as it is") {
  CHECK(translated("SELECT a FROM t WHERE b = ?1 AND c > ?12").sql == "SELECT a FROM t WHERE b = $1 AND c > $12");
  CHECK(translated("SELECT '?1 it''s ?2', \"?3\" FROM t -- ?4\nWHERE a = ?5 /* ?6 */").sql ==
        "SELECT '?1 it''s ?2', \"?3\" FROM t -- ?4\nWHERE a = $5 /* ?6 */");
  CHECK(translated("SELECT 'never ends ?1").sql == "SELECT 'never ends ?1");
  CHECK(translated("").sql.empty());
}

TEST_CASE("a column called user is one, and not the one who is connected") {
  CHECK(translated("SELECT user FROM members WHERE user = ?1 AND m.user = users").sql ==
        "SELECT \"user\" FROM members WHERE \"user\" = $1 AND m.user = users");
  CHECK(translated("INSERT INTO t (room, user) VALUES (?1, 'user')").sql == "INSERT INTO t (room, \"user\") VALUES ($1, 'user')");
}

TEST_CASE("what reads alone is known, and what changes something too") {
  CHECK(translated("SELECT 1").reads);
  CHECK(translated("  -- the rooms\n select 1").reads);
  CHECK_FALSE(translated("UPDATE t SET a = 1 RETURNING a").reads);
  CHECK_FALSE(translated("INSERT INTO t SELECT 1").reads);
}

TEST_CASE("an INSERT of parameters in their order can be joined with others, and no other") {
  const auto one = translated("INSERT INTO thing (id, text) VALUES (?1, ?2)");
  CHECK(one.table == "thing");
  CHECK(one.values == 2);
  CHECK(repeated(one, 1) == "INSERT INTO thing (id, text) VALUES ($1, $2)");
  CHECK(repeated(one, 3) == "INSERT INTO thing (id, text) VALUES ($1, $2), ($3, $4), ($5, $6)");
  for (const char* other : {"INSERT INTO thing (id, text) VALUES (?2, ?1)", "INSERT INTO thing (id, text) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
                            "INSERT INTO thing (id, text) VALUES (?1, 'x')", "INSERT INTO thing VALUES (?1)", "INSERT INTO thing (id) SELECT ?1",
                            "DELETE FROM thing WHERE id = ?1", "SELECT 1"})
    CHECK(translated(other).table.empty());
}

TEST_CASE("an UPDATE of one row's values by its key is known, and no other") {
  CHECK(translated("UPDATE rooms SET last_seq = ?2, changed = ?3 WHERE id = ?1").overwrites == "rooms");
  CHECK(translated("UPDATE t SET a = ?2 WHERE id = ?1").overwrites == "t");
  for (const char* other :
       {"UPDATE t SET a = a + ?2 WHERE id = ?1", "UPDATE t SET a = ?2 WHERE id = ?1 AND b = ?3", "UPDATE t SET a = ?1 WHERE id = ?1",
        "UPDATE t SET a = ?2 WHERE id > ?1", "UPDATE t SET a = ?2", "UPDATE t SET a = 1 WHERE id = ?1", "UPDATE t SET a = ?2, b = NULL WHERE id = ?1",
        "UPDATE t SET a = ?2 WHERE id = ?1 RETURNING a", "DELETE FROM t WHERE id = ?1"})
    CHECK(translated(other).overwrites.empty());
}

TEST_CASE("whether a statement names a table is seen by the whole word") {
  CHECK(names("SELECT 1 FROM thing WHERE a", "thing"));
  CHECK(names("thing", "thing"));
  CHECK_FALSE(names("SELECT 1 FROM things, my_thing", "thing"));
}

}  // namespace loggia::postgres
