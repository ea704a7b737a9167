#include "discovery/etcd/form.hpp"
#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include "http/listener.hpp"
#include "loggia/kernel/crypto.hpp"
#include "loggia/kernel/json.hpp"

namespace loggia::discovery::etcd {
namespace {

/// The first key behind all that begin so: of a slash at the end, what follows a slash.
std::string behind(std::string_view prefix) { return std::string(prefix.substr(0, prefix.size() - 1)) + '0'; }

std::string quoted(std::string_view name, std::string_view value) {
  std::string out;
  append_quoted(out, name);
  out += ':';
  append_quoted(out, value);
  return out;
}
std::string encoded(std::string_view name, std::string_view value) { return quoted(name, crypto::base64(value)); }

std::optional<std::string> decoded(std::string text) {
  std::replace(text.begin(), text.end(), '+', '-');
  std::replace(text.begin(), text.end(), '/', '_');
  while (text.ends_with('=')) text.pop_back();
  auto out = crypto::from_base64url(text);
  return out ? std::optional(std::move(*out)) : std::nullopt;
}

const json* member(const json& in, const char* name) {
  if (!in.is_object()) return nullptr;
  const auto found = in.find(name);
  return found == in.end() ? nullptr : &*found;
}
std::string text_in(const json& in, const char* name) {
  const auto* found = member(in, name);
  return found && found->is_string() ? found->get<std::string>() : std::string();
}
/// A text of digits, as the gateway writes them, or a number, as others do; what is missing is 0.
std::int64_t number_in(const json& in, const char* name) {
  const auto* found = member(in, name);
  if (!found) return 0;
  if (!found->is_string()) return checked_integer(*found, 0, INT64_MAX).value_or(0);
  const auto& text = found->get_ref<const std::string&>();
  std::int64_t out = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), out);
  return problem == std::errc() && end == text.data() + text.size() ? out : 0;
}
std::int64_t revision_in(const json& in) {
  const auto* header = member(in, "header");
  return header ? number_in(*header, "revision") : 0;
}
Error no_answer() { return Error(Errc::unavailable, "what it says is no answer of etcd"); }

std::optional<std::string> key_in(const json& kv) {
  auto text = text_in(kv, "key");
  return text.empty() ? std::nullopt : decoded(std::move(text));
}

}  // namespace

std::string key_of(std::string_view prefix, const Instance& instance) { return std::string(prefix) + instance.module + '/' + instance.address; }

std::optional<Instance> instance_of(std::string_view prefix, std::string_view key) {
  if (!key.starts_with(prefix)) return std::nullopt;
  key.remove_prefix(prefix.size());
  const auto slash = key.find('/');
  if (slash == 0 || slash == key.npos) return std::nullopt;
  Instance out;
  out.module = key.substr(0, slash);
  out.address = key.substr(slash + 1);
  const auto endpoint = http::parse_listen(out.address);
  if (!endpoint || endpoint->port() == 0) return std::nullopt;
  return out;
}

std::string grant(std::chrono::seconds lifetime) { return "{" + quoted("TTL", std::to_string(lifetime.count())) + "}"; }
std::string put(std::string_view prefix, const Instance& instance, const std::string& lease) {
  return "{" + encoded("key", key_of(prefix, instance)) + "," + encoded("value", instance.address) + "," + quoted("lease", lease) + "}";
}
std::string about_lease(const std::string& lease) { return "{" + quoted("ID", lease) + "}"; }
std::string list_all(std::string_view prefix) { return "{" + encoded("key", prefix) + "," + encoded("range_end", behind(prefix)) + "}"; }
std::string watch_all(std::string_view prefix, std::int64_t from) {
  return R"({"create_request":{)" + encoded("key", prefix) + "," + encoded("range_end", behind(prefix)) + "," +
         quoted("start_revision", std::to_string(from)) + "}}";
}

Result<Lease> lease_of(std::string_view answer) {
  const auto parsed = parse_untrusted(answer);
  if (!parsed) return no_answer();
  const auto* inner = member(*parsed, "result");  // a stream's
  const auto& said = inner ? *inner : *parsed;
  Lease out;
  out.id = text_in(said, "ID");
  out.lifetime = number_in(said, "TTL");
  if (out.id.empty() || !std::all_of(out.id.begin(), out.id.end(), [](char c) { return c >= '0' && c <= '9'; })) return no_answer();
  return out;
}

Result<Listing> listing_of(std::string_view answer) {
  const auto parsed = parse_untrusted(answer);
  if (!parsed) return no_answer();
  Listing out;
  out.revision = revision_in(*parsed);
  if (out.revision <= 0) return no_answer();
  if (const auto* all = member(*parsed, "kvs"); all && all->is_array())
    for (const auto& one : *all)
      if (auto key = key_in(one)) out.keys.insert(std::move(*key));
  return out;
}

Result<Change> change_of(std::string_view line) {
  const auto parsed = parse_untrusted(line);
  if (!parsed) return no_answer();
  Change out;
  const auto* said = member(*parsed, "result");
  if (!said) {
    out.ended = true;  // {"error": …}: the node is stopping, or has no leader
    return out;
  }
  out.revision = revision_in(*said);
  const auto* canceled = member(*said, "canceled");
  out.ended = (canceled && *canceled == true) || number_in(*said, "compact_revision") > 0;
  if (const auto* events = member(*said, "events"); events && events->is_array())
    for (const auto& event : *events) {
      const auto* kv = member(event, "kv");
      auto key = kv ? key_in(*kv) : std::nullopt;
      if (key) (text_in(event, "type") == "DELETE" ? out.gone : out.put).push_back(std::move(*key));
    }
  return out;
}

std::string complaint_of(std::string_view answer) {
  const auto parsed = parse_untrusted(answer);
  auto out = parsed ? text_in(*parsed, "error") : std::string();
  std::replace_if(out.begin(), out.end(), [](char c) { return c < ' ' || c > '~'; }, ' ');
  return out.substr(0, 200);
}

Peers peers_of(std::string_view prefix, const std::set<std::string>& keys) {
  Peers out;
  for (const auto& key : keys)
    if (auto instance = instance_of(prefix, key)) out[instance->module].push_back(std::move(instance->address));
  return out;
}

}  // namespace loggia::discovery::etcd
