// What the rules find, a line each, and beside it what they leave alone. Never compiled.
void planted(Query& query, Query* other, sqlite3* file, std::string name, const char* text, Thread thread) {
  // ok: sql-from-parts
  query.select("SELECT a FROM b WHERE c = ?1", name);
  // ruleid: sql-from-parts
  query.select("SELECT a FROM b WHERE c = '" + name + "'");
  // ruleid: sql-from-parts
  query.execute(fmt::format("DELETE FROM {}", name));
  // ruleid: sql-from-parts
  other->execute("DELETE FROM " + name, 1);
  // ruleid: sql-from-parts
  sqlite3_exec(file, name + ";", nullptr, nullptr, nullptr);
  std::string sql = "SELECT a FROM b";
  // ruleid: sql-from-parts
  sql += " ORDER BY " + name;
  log(name);
  query.select(sql, name);

  // ruleid: detached
  boost::asio::co_spawn(executor, work(), boost::asio::detached);
  // ruleid: detached
  thread.detach();

  // ruleid: owned-by-hand
  auto* one = new Thing(1);
  // ruleid: owned-by-hand
  delete one;
  // ruleid: owned-by-hand
  char* bytes = static_cast<char*>(malloc(12));
  // ok: owned-by-hand
  auto mine = std::unique_ptr<Thing>(new Thing(1));

  // ruleid: unbounded
  strcpy(bytes, text);
  // ruleid: unbounded
  std::system(text);
  // ok: unbounded
  snprintf(bytes, 12, "%s", text);

  // ruleid: wall-clock
  const auto began = std::chrono::system_clock::now();
  // ruleid: wall-clock
  const auto seconds = time(nullptr);
  // ok: wall-clock
  const auto moment = std::chrono::steady_clock::now();

  // ruleid: weak-cryptography
  const auto* digest = EVP_md5();
  // ruleid: weak-cryptography
  SSL_CTX_set_verify(context, SSL_VERIFY_NONE, nullptr);
  // ok: weak-cryptography
  const auto* good = EVP_sha256();

  // ruleid: compared-in-time
  if (memcmp(bytes, text, 12) == 0) return;

  try {
    work();
    // ruleid: swallowed
  } catch (...) {
  }
  try {
    work();
    // ok: swallowed
  } catch (...) {
    failed = true;
  }

  // ruleid: sleeping
  std::this_thread::sleep_for(milliseconds(10));
  // ok: sleeping
  timer.expires_after(milliseconds(10));
}
