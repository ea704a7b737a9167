#include "storage/postgres/connection.hpp"
#include <libpq-fe.h>
#include <poll.h>
#include <array>
#include <cstring>
#include "storage/postgres/rows.hpp"

namespace loggia::postgres {
namespace {

constexpr std::size_t pending_max = 2000;  // replies that nobody has looked at: then the oldest are taken in

Clock& real_clock() {
  static const std::unique_ptr<Clock> clock = system_clock();  // a socket's time is real, whatever the store's clock says
  return *clock;
}

Oid type_of(Parameter::Kind kind) {
  switch (kind) {
    case Parameter::Kind::any:
      return 0;
    case Parameter::Kind::integer:
      return type_int8;
    case Parameter::Kind::text:
      return type_text;
    case Parameter::Kind::blob:
      return type_bytea;
  }
  return 0;
}

/// Values as libpq takes them: binary, integers in eight bytes. As long as it lives.
class Values {
 public:
  explicit Values(std::span<const Parameter> parameters) {
    numbers_.reserve(parameters.size());
    for (const auto& parameter : parameters) {
      const auto& value = parameter.value();
      if (const auto* number = std::get_if<std::int64_t>(&value)) {
        auto bytes = static_cast<std::uint64_t>(*number);
        std::array<char, 8>& out = numbers_.emplace_back();
        for (std::size_t at = 8; at-- > 0; bytes >>= 8) out[at] = static_cast<char>(bytes & 0xFF);
        add(out.data(), out.size());
      } else if (const auto* text = std::get_if<std::string_view>(&value)) {
        add(text->data() ? text->data() : "", text->size());
      } else if (const auto* blob = std::get_if<std::span<const std::uint8_t>>(&value)) {
        add(reinterpret_cast<const char*>(blob->data()), blob->size());  // no blob at all is null, and an empty one is not
      } else {
        add(nullptr, 0);
      }
    }
    formats_.assign(parameters.size(), 1);
  }
  int count() const { return static_cast<int>(values_.size()); }
  const char* const* values() const { return values_.data(); }
  const int* lengths() const { return lengths_.data(); }
  const int* formats() const { return formats_.data(); }

 private:
  void add(const char* data, std::size_t size) {
    values_.push_back(data);
    lengths_.push_back(static_cast<int>(size));
  }
  std::vector<std::array<char, 8>> numbers_;
  std::vector<const char*> values_;
  std::vector<int> lengths_, formats_;
};

/// On one line.
std::string trimmed(const char* message) {
  std::string out;
  for (const char* c = message ? message : ""; *c != 0; ++c) {
    const bool space = *c == '\n' || *c == '\t' || *c == ' ';
    if (!space) out += *c;
    else if (!out.empty() && out.back() != ' ') out += ' ';
  }
  if (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

}  // namespace

Trouble trouble_of(std::string_view state) {
  if (state.empty() || state.starts_with("08") || state.starts_with("57P") || state == "25006" || state == "25P03" || state == "53300")
    return Trouble::lost;
  if (state == "40001" || state == "40P01" || state == "55P03") return Trouble::again;
  if (state == "57014") return Trouble::late;
  if (state == "53100") return Trouble::full;
  if (state == "XX001" || state == "XX002") return Trouble::fatal;
  return Trouble::command;
}

Connection::Connection(const Target& target) : target_{target} {
  try {
    connect();
    set_up();
  } catch (...) {
    PQfinish(handle_);
    throw;
  }
}
Connection::~Connection() { PQfinish(handle_); }

void Connection::connect() {
  // What stands before the URL it may say otherwise, what stands behind it may not.
  const auto application = "loggia " + target_.name;
  const std::pair<const char*, const char*> given[] = {{"keepalives_idle", "10"},       {"keepalives_interval", "5"},
                                                       {"tcp_user_timeout", "15000"},   {"fallback_application_name", application.c_str()},
                                                       {"dbname", target_.url.c_str()}, {"client_encoding", "UTF8"}};
  std::vector<const char*> keys, values;
  for (const auto& [key, value] : given) {
    keys.push_back(key);
    values.push_back(value);
  }
  keys.push_back(nullptr);
  values.push_back(nullptr);
  handle_ = PQconnectStartParams(keys.data(), values.data(), 1);
  if (!handle_) throw Failure(Trouble::lost, "", "out of memory");
  const auto end = real_clock().moment() + target_.connecting;
  for (auto wanted = PGRES_POLLING_WRITING; wanted != PGRES_POLLING_OK; wanted = PQconnectPoll(handle_)) {
    if (wanted == PGRES_POLLING_FAILED || PQstatus(handle_) == CONNECTION_BAD) throw Failure(Trouble::lost, "", said());
    const auto left = std::chrono::ceil<milliseconds>(end - real_clock().moment());
    pollfd socket{PQsocket(handle_), static_cast<short>(wanted == PGRES_POLLING_READING ? POLLIN : POLLOUT), 0};
    if (left.count() <= 0 || ::poll(&socket, 1, static_cast<int>(left.count())) == 0) throw Failure(Trouble::lost, "", "no answer in time");
  }
  PQsetNoticeProcessor(handle_, [](void*, const char*) {}, nullptr);
  usable_ = true;
}

void Connection::set_up() {
  const auto text = [](milliseconds limit) { return std::to_string(limit.count()); };
  PQsetnonblocking(handle_, 1);
  // The schema's name is made of letters, digits and _ (open.cpp). A server that was told not to wait for the disk is told to, for us.
  run("SET search_path TO \"" + target_.schema + "\"; SET statement_timeout = " + text(target_.statement) +
      "; SET lock_timeout = " + text(target_.row_lock) + "; SET idle_in_transaction_session_timeout = " + text(target_.idle) +
      "; SET jit = off; SET default_transaction_isolation = 'read committed';"
      " SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'");
  if (PQenterPipelineMode(handle_) != 1) lose(said());
}

std::string Connection::said() const { return trimmed(PQerrorMessage(handle_)); }
int Connection::version() const { return PQserverVersion(handle_); }

void Connection::lose(const std::string& why) {
  usable_ = false;
  if (!failed_ || failed_->trouble != Trouble::lost) failed_.emplace(Trouble::lost, "", why);
  throw *failed_;
}

bool Connection::alive() {
  // Last words first, then the end.
  pollfd socket{PQsocket(handle_), POLLIN, 0};
  while (usable_ && ::poll(&socket, 1, 0) == 1)
    if (PQconsumeInput(handle_) != 1 || PQstatus(handle_) == CONNECTION_BAD) usable_ = false;
  return usable_;
}

/// Until something can be read (or written, where there is something to write), which is then read.
void Connection::pump(bool writing_too) {
  pollfd socket{PQsocket(handle_), static_cast<short>(POLLIN | (writing_too ? POLLOUT : 0)), 0};
  const int ready = ::poll(&socket, 1, hurries_ ? static_cast<int>(target_.answer.count()) : -1);
  if (ready == 0) lose("no answer in time");
  if (ready < 0 && errno != EINTR) lose(std::string("poll: ") + std::strerror(errno));
  if (ready > 0 && (socket.revents & ~POLLOUT) != 0 && PQconsumeInput(handle_) != 1) lose(said());
}

/// The next result; the ends of results, which libpq tells as none, are passed over. It reads while it writes: where both sides only wrote,
/// and their sockets were full, nobody would ever go on.
std::shared_ptr<pg_result> Connection::next() {
  for (int ends = 0; ends < 3; ++ends) {
    for (;;) {
      const int unsent = PQflush(handle_);
      if (unsent < 0) lose(said());
      if (!PQisBusy(handle_)) break;
      pump(unsent == 1);
    }
    if (auto* result = PQgetResult(handle_)) return {result, &PQclear};
    if (PQstatus(handle_) == CONNECTION_BAD) lose(said());
  }
  lose("an answer is missing");
}

void Connection::note(pg_result* result) {
  const char* state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  const std::string known(state ? state : "");
  auto trouble = trouble_of(known);
  if (PQstatus(handle_) == CONNECTION_BAD) trouble = Trouble::lost;
  const char* primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
  const auto why = primary ? known + " " + trimmed(primary) : trimmed(PQresultErrorMessage(result));
  if (!failed_) failed_.emplace(trouble, known, why);
  if (trouble == Trouble::lost) lose(why);
}

void Connection::take_one() {
  const auto result = next();
  auto pending = std::move(pending_.front());
  pending_.pop_front();
  switch (PQresultStatus(result.get())) {
    case PGRES_PIPELINE_SYNC:
      if (!pending.synchronises) lose("the answers are out of step");
      return;
    case PGRES_COMMAND_OK:
    case PGRES_TUPLES_OK:
      if (pending.synchronises) lose("the answers are out of step");
      break;
    case PGRES_PIPELINE_ABORTED:
      if (pending.name) pending.name->clear();
      return;
    case PGRES_FATAL_ERROR:
    case PGRES_BAD_RESPONSE:
    case PGRES_NONFATAL_ERROR:
    case PGRES_EMPTY_QUERY:
    case PGRES_COPY_OUT:
    case PGRES_COPY_IN:
    case PGRES_COPY_BOTH:
    case PGRES_SINGLE_TUPLE:
      if (pending.name) pending.name->clear();
      note(result.get());
      return;
  }
  if (!pending.reply) return;
  const std::string_view count = PQcmdTuples(result.get());
  for (const char digit : count) pending.reply->changed = pending.reply->changed * 10 + (digit - '0');
  pending.reply->result = result;
  pending.reply->done = true;
}

/// With a point of synchronisation, not a mere request to flush: a server that has not come to one takes its session for active, however long it
/// waits for what comes next, and target_.idle would never end.
void Connection::wait(Reply& reply) {
  if (!reply.done && !asked_ && !failed_) synchronise();
  while (!reply.done && !failed_ && !pending_.empty()) take_one();
  if (reply.done) return;
  if (failed_) throw *failed_;
  throw std::logic_error("the statement belongs to a transaction that has ended");
}

void Connection::synchronise() {
  if (PQpipelineSync(handle_) != 1) lose(said());
  pending_.push_back({nullptr, nullptr, true});
  asked_ = true;
}

void Connection::settle() {
  if (pending_.empty() && !failed_) return;
  if (!failed_) {
    if (!asked_ || !pending_.back().synchronises) synchronise();
    while (!failed_ && !pending_.empty()) take_one();
  }
  if (failed_) throw *failed_;
}

void Connection::clear() {
  if (!usable_) throw *failed_;
  if (pending_.empty() || !pending_.back().synchronises) synchronise();
  while (!pending_.empty()) take_one();
  failed_.reset();
}

void Connection::run(const std::string& sql) {
  const bool pipeline = PQpipelineStatus(handle_) != PQ_PIPELINE_OFF;
  if (pipeline) settle();
  if (pipeline && PQexitPipelineMode(handle_) != 1) lose(said());
  if (PQsendQuery(handle_, sql.c_str()) != 1) lose(said());
  std::optional<Failure> problem;
  for (;;) {
    for (;;) {
      const int unsent = PQflush(handle_);
      if (unsent < 0) lose(said());
      if (!PQisBusy(handle_)) break;
      pump(unsent == 1);
    }
    const std::shared_ptr<pg_result> result(PQgetResult(handle_), &PQclear);
    if (!result) break;
    if (PQresultStatus(result.get()) != PGRES_FATAL_ERROR) continue;
    note(result.get());
    problem = std::exchange(failed_, std::nullopt);
  }
  if (pipeline && PQenterPipelineMode(handle_) != 1) lose(said());
  if (problem) throw *problem;
}

Connection::Prepared& Connection::known(std::string_view key) {
  const auto found = statements_.find(key);
  return found != statements_.end() ? found->second : statements_[std::string(key)];
}

const Text& Connection::text_of(std::string_view sql) {
  auto& prepared = known(sql);
  if (prepared.text.sql.empty()) prepared.text = translated(sql);
  return prepared.text;
}

std::shared_ptr<Reply> Connection::send(std::string_view sql, std::span<const Parameter> parameters) { return send(text_of(sql), sql, parameters); }

std::shared_ptr<Reply> Connection::send(const Text& text, std::string_view key, std::span<const Parameter> parameters) {
  if (failed_) throw *failed_;
  if (!usable_) lose("the connection is closed");
  while (pending_.size() > pending_max && !failed_) {
    if (!asked_ && PQsendFlushRequest(handle_) != 1) lose(said());
    asked_ = true;
    take_one();
  }
  if (failed_) throw *failed_;
  std::string kinds;
  for (const auto& parameter : parameters) kinds += static_cast<char>('a' + static_cast<int>(parameter.kind()));
  auto& name = known(key).names[kinds];
  if (name.empty()) {
    name = "s" + std::to_string(++prepared_);
    std::vector<Oid> types;
    for (const auto& parameter : parameters) types.push_back(type_of(parameter.kind()));
    if (PQsendPrepare(handle_, name.c_str(), text.sql.c_str(), static_cast<int>(types.size()), types.data()) != 1) lose(said());
    pending_.push_back({nullptr, &name, false});
  }
  const Values values(parameters);
  if (PQsendQueryPrepared(handle_, name.c_str(), values.count(), values.values(), values.lengths(), values.formats(), 1) != 1) lose(said());
  auto& pending = pending_.emplace_back();
  pending.reply = std::make_shared<Reply>();
  asked_ = false;
  return pending.reply;
}

void Connection::send_joined(std::string_view sql, std::size_t rows, std::span<const Parameter> parameters) {
  const auto& one = text_of(sql);
  const auto key = std::string(sql) + '#' + std::to_string(rows);
  auto& text = known(key).text;
  if (text.sql.empty()) text.sql = repeated(one, rows);
  send(text, key, parameters);
}

std::unique_ptr<Rows> Connection::select(std::string_view sql, std::span<const Parameter> parameters) {
  return std::make_unique<RowsThere>(*this, send(sql, parameters));
}

}  // namespace loggia::postgres
