#include "storage/postgres/group.hpp"
#include <algorithm>

namespace loggia::postgres {
namespace {

constexpr std::size_t rows_together = 64;  // and 16, 4, 1

/// A letter each; empty where one is of no kind: among others it would have to be something.
std::string kinds_of(std::span<const Parameter> parameters) {
  std::string out;
  for (const auto& parameter : parameters) {
    if (parameter.kind() == Parameter::Kind::any) return std::string();
    out += static_cast<char>('a' + static_cast<int>(parameter.kind()));
  }
  return out;
}

/// Parameters for later: what they borrowed is copied.
void keep(std::span<const Parameter> given, std::deque<std::string>& kept, std::vector<Parameter>& parameters) {
  for (const auto& parameter : given) {
    const auto& value = parameter.value();
    if (const auto* text = std::get_if<std::string_view>(&value)) {
      parameters.emplace_back(kept.emplace_back(*text));
    } else if (const auto* blob = std::get_if<std::span<const std::uint8_t>>(&value); blob && blob->data()) {
      const auto& copy = kept.emplace_back(blob->begin(), blob->end());
      parameters.emplace_back(std::span(reinterpret_cast<const std::uint8_t*>(copy.data()), copy.size()));
    } else {
      parameters.push_back(parameter);
    }
  }
}

std::string bytes_of(const Parameter& parameter) {
  const auto& value = parameter.value();
  if (const auto* number = std::get_if<std::int64_t>(&value)) return std::to_string(*number);
  if (const auto* text = std::get_if<std::string_view>(&value)) return std::string(*text);
  if (const auto* blob = std::get_if<std::span<const std::uint8_t>>(&value)) return std::string(blob->begin(), blob->end());
  return std::string();
}

}  // namespace

void Group::back_to(Mark mark) {
  after_.resize(mark.after);
  before_.resize(mark.before);
  // What was locked since goes with the savepoint. What take() had taken stays, but what was read of it since may not be known.
  for (; told_.size() > mark.told; told_.pop_back()) {
    if (told_.back().retaken) retaken_.insert(told_.back().order);
    else held_.erase(told_.back().order);
  }
}

void Group::undone() {
  ++era_;
  batches_.clear();
  overwritten_.clear();
}

void Group::run_before() {
  std::stable_sort(before_.begin(), before_.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  for (std::size_t at = 0; at < before_.size(); ++at)
    if (at == 0 || before_[at].first != before_[at - 1].first) before_[at].second(*this);
}

void Group::say(std::string_view sql) { connection_.send(sql, {}); }

/// True where the row waits with others of its kind. Its table is then looked at by nobody who does not send them first.
bool Group::put_together(std::string_view sql, const Text& text, std::span<const Parameter> parameters) {
  if (text.table.empty() || text.values != parameters.size()) return false;
  auto kinds = kinds_of(parameters);
  if (kinds.empty()) return false;
  auto batch = std::find_if(batches_.begin(), batches_.end(), [&](const Batch& one) { return one.sql == sql && one.kinds == kinds; });
  if (batch == batches_.end()) {
    flush_named(text.sql);
    batch = batches_.emplace(batches_.end());  // its parameters will point into what it keeps
    batch->sql = sql;
    batch->table = text.table;
    batch->kinds = std::move(kinds);
  }
  keep(parameters, batch->kept, batch->parameters);
  if (++batch->rows == rows_together) flush(*batch);
  return true;
}

/// In pieces of few sizes, so that few statements are prepared.
void Group::flush(Batch& batch) {
  const auto width = batch.rows == 0 ? 0 : batch.parameters.size() / batch.rows;
  std::span<const Parameter> rest(batch.parameters);
  for (std::size_t piece = rows_together; !rest.empty(); piece /= 4)
    for (; rest.size() >= piece * width; rest = rest.subspan(piece * width)) {
      connection_.send_joined(batch.sql, piece, rest.first(piece * width));
      if (rest.size() == piece * width) {
        rest = {};
        break;
      }
    }
  batch.rows = 0;
  batch.parameters.clear();
  batch.kept.clear();
}

/// True where the row's new values wait, in place of those that waited before.
bool Group::overwrite(std::string_view sql, const Text& text, std::span<const Parameter> parameters) {
  const auto kinds = text.overwrites.empty() ? std::string() : kinds_of(parameters);
  if (kinds.empty()) return false;
  for (const auto& [key, row] : overwritten_)
    if (row.table == text.overwrites && (key.first != sql || row.kinds != kinds)) return false;
  for (auto& batch : batches_)
    if (batch.rows > 0 && batch.table == text.overwrites) flush(batch);
  auto& row = overwritten_[{std::string(sql), bytes_of(parameters[0])}];
  row.table = text.overwrites;
  row.kinds = kinds;
  row.tickets.push_back(static_cast<std::int64_t>(replies_.size()));
  row.parameters.clear();
  row.kept.clear();
  keep(parameters, row.kept, row.parameters);
  return true;
}

void Group::flush(const std::string& sql, Overwritten& row) {
  const auto reply = connection_.send(sql, row.parameters);
  for (const auto ticket : row.tickets) replies_[static_cast<std::size_t>(ticket)] = reply;
}

void Group::flush() {
  for (auto& batch : batches_) flush(batch);
  for (auto& [key, row] : overwritten_) flush(key.first, row);
  overwritten_.clear();
}

void Group::flush_named(std::string_view sql) {
  for (auto row = overwritten_.begin(); row != overwritten_.end();) {
    const bool named = names(sql, row->second.table);
    if (named) flush(row->first.first, row->second);
    row = named ? overwritten_.erase(row) : std::next(row);
  }
  for (auto& batch : batches_)
    if (batch.rows > 0 && names(sql, batch.table)) flush(batch);
}

void Group::settle() {
  flush();
  connection_.settle();
}

std::unique_ptr<Rows> Group::run(std::string_view sql, std::span<const Parameter> parameters) {
  if (!connection_.text_of(sql).reads) ++writes_;
  flush_named(sql);
  return connection_.select(sql, parameters);
}

Changes Group::change(std::string_view sql, std::span<const Parameter> parameters) {
  ++writes_;
  const auto& text = connection_.text_of(sql);
  if (put_together(sql, text, parameters)) return Changes(1);
  if (overwrite(sql, text, parameters)) {
    replies_.push_back(nullptr);
  } else {
    flush_named(sql);
    replies_.push_back(connection_.send(sql, parameters));
  }
  return Changes(*this, static_cast<std::int64_t>(replies_.size()) - 1);
}

std::int64_t Group::changed(std::int64_t ticket) {
  if (!replies_.at(static_cast<std::size_t>(ticket))) flush();
  if (!replies_.at(static_cast<std::size_t>(ticket))) throw std::logic_error("the statement was undone");
  auto& reply = *replies_.at(static_cast<std::size_t>(ticket));
  connection_.wait(reply);
  return reply.changed;
}

void Group::send_lock(const Lock& lock, bool wait) {
  const std::span<const std::uint8_t> bytes(reinterpret_cast<const std::uint8_t*>(lock.first.data()), lock.first.size());
  const Parameter parameters[] = {lock.kind == Parameter::Kind::integer ? Parameter(lock.number)
                                  : lock.kind == Parameter::Kind::text  ? Parameter(lock.first)
                                                                        : Parameter(bytes)};
  connection_.send(lock.sql + (wait ? " FOR NO KEY UPDATE" : " FOR NO KEY UPDATE NOWAIT"),
                   std::span<const Parameter>(parameters, lock.kind == Parameter::Kind::any ? 0 : 1));
}

bool Group::hold(int rank, std::string_view sql, std::span<const Parameter> parameters) {
  Lock lock;
  lock.sql = sql;
  if (!parameters.empty()) {
    const auto& value = parameters.front().value();
    lock.kind = parameters.front().kind();
    if (const auto* number = std::get_if<std::int64_t>(&value)) lock.number = *number;
    if (const auto* text = std::get_if<std::string_view>(&value)) lock.first = *text;
    if (const auto* blob = std::get_if<std::span<const std::uint8_t>>(&value)) lock.first.assign(blob->begin(), blob->end());
  }
  // Numbers in their order too: from the highest byte down, the sign turned.
  auto place = lock.first;
  if (lock.kind == Parameter::Kind::integer)
    for (int shift = 56; shift >= 0; shift -= 8)
      place += static_cast<char>((static_cast<std::uint64_t>(lock.number) ^ (std::uint64_t{1} << 63)) >> shift & 0xFF);
  const LockOrder order(rank, std::move(place));
  const bool retaken = retaken_.erase(order) > 0;
  if (!retaken && held_.contains(order)) return false;
  if (!retaken) {
    send_lock(lock, patient_ || held_.empty() || *held_.rbegin() < order);
    wanted_.insert_or_assign(order, std::move(lock));
    held_.insert(order);
  }
  told_.push_back({order, retaken});
  return true;
}

void Group::take(const Locks& locks) {
  held_.clear();
  told_.clear();
  for (const auto& [order, lock] : locks) {
    send_lock(lock, true);
    held_.insert(order);
  }
  retaken_ = held_;
  wanted_ = locks;
}

void Group::be_patient() {
  patient_ = true;
  say("SET LOCAL lock_timeout = 100");
}

}  // namespace loggia::postgres
