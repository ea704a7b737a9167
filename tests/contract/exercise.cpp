#include "contract/exercise.hpp"
#include <algorithm>
#include "loggia/kernel/json_value.hpp"

namespace loggia::contract {
namespace {

std::vector<const Contract*>& all() {
  static std::vector<const Contract*> list;
  return list;
}

/// The key that every server makes for itself, and what is signed with it: the texts that differ.
std::string without_tokens(std::string text) {
  for (const std::string name : {"\"kid\":\"", "\"x\":\"", "\"y\":\""})
    for (auto at = text.find(name); at != text.npos; at = text.find(name, at + 1)) {
      const auto begin = at + name.size();
      text.replace(begin, text.find('"', begin) - begin, "KEY");
    }
  const auto letter = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' || c == '.'; };
  for (auto at = text.find("\"eyJ"); at != text.npos; at = text.find("\"eyJ", at + 1)) {
    auto end = at + 1;
    while (end < text.size() && letter(text[end])) ++end;
    text.replace(at + 1, end - at - 1, "TOKEN");
  }
  return text;
}

std::string words_of(const Error& error) {
  std::string out = std::to_string(fault(error.code).status) + ' ' + std::string(fault(error.code).code) + ": " + error.detail;
  for (const auto& field : error.fields) out += " [" + field.pointer + ' ' + field.detail + ']';
  if (error.retry_after) out += " again in " + std::to_string(*error.retry_after);
  return out;
}

void check_all_exercised(const Contract& contract, const Exercise& exercise) {
  for (const auto& route : contract.routes) {
    CAPTURE(route);
    const auto found = exercise.seen().find(route);
    CHECK_MESSAGE((found != exercise.seen().end() && found->second.answers > 0), "no case gets an answer to this request");
    CHECK_MESSAGE((found != exercise.seen().end() && found->second.refusals > 0), "no case gets a refusal of this request");
  }
}

void compare(const std::vector<std::string>& wanted, const std::vector<std::string>& got) {
  CHECK(wanted.size() == got.size());
  for (std::size_t at = 0; at < std::min(wanted.size(), got.size()); ++at) CHECK(got[at] == wanted[at]);
}

}  // namespace

std::string canonical(const std::string& text) { return json::parse(text).dump(); }

Context Exercise::as(const Uuid& subject, const std::string& username, std::vector<std::string> roles) const {
  Caller caller;
  caller.subject = subject;
  caller.username = username;
  caller.roles = std::move(roles);
  return outside().as(std::move(caller));
}
Context Exercise::outside() const {
  Trace trace;
  trace.id = "0af7651916cd43dd8448eb211c80319c";
  trace.span = "b7ad6b7169203331";
  return Context(std::move(trace)).from("192.0.2.7", "a browser; \"ü\", 1");
}
Context Exercise::module(const std::string& name) const {
  Caller caller;
  caller.module = name;
  return outside().as(std::move(caller));
}

void Exercise::note(std::string_view route, const std::string& answer) {
  ++seen_[std::string(route)].answers;
  transcript_.push_back(std::string(route) + " -> " + without_tokens(answer));
}
void Exercise::note(std::string_view route, const Error& error) {
  ++seen_[std::string(route)].refusals;
  transcript_.push_back(std::string(route) + " -> " + words_of(error));
}
void Exercise::never_refuses(std::string_view route) { ++seen_[std::string(route)].refusals; }
void Exercise::never_answers(std::string_view route) { ++seen_[std::string(route)].answers; }

void expect_answer(std::string_view route, const Error* error) {
  REQUIRE_MESSAGE(error == nullptr, std::string(route) << " is refused: " << words_of(error ? *error : Error()));
}
void expect_refusal(std::string_view route, Errc wanted, const Error* error) {
  CHECK_MESSAGE(error != nullptr, std::string(route) << " is answered, and should be refused");
  if (error) CHECK_MESSAGE(error->code == wanted, std::string(route) << " is refused otherwise: " << words_of(*error));
}

Contract::Contract(std::string name, std::vector<std::string> list, void (*run)(Exercise&))
    : module{std::move(name)}, routes{std::move(list)}, cases{run} {
  all().push_back(this);
}
const std::vector<const Contract*>& contracts() { return all(); }

void run_three_ways(const Contract& contract) {
  const std::pair<std::string, std::unique_ptr<Way> (*)(const std::string&)> ways[] = {
      {"here", &here}, {"serialised", &serialised}, {"over mTLS", &over_mtls}};
  std::vector<std::string> first;
  for (const auto& [name, open] : ways) {
    CAPTURE(name);
    const auto way = open(contract.module);
    Exercise exercise(*way);
    contract.cases(exercise);
    check_all_exercised(contract, exercise);
    if (first.empty()) first = exercise.transcript();
    compare(first, exercise.transcript());
  }
}

TEST_CASE("every route that a module mounts is in the cases of a contract, and no other") {
  for (const auto& module : house_names()) {
    CAPTURE(module);
    std::vector<std::string> exercised;
    for (const auto* contract : contracts())
      if (contract->module == module) exercised.insert(exercised.end(), contract->routes.begin(), contract->routes.end());
    std::sort(exercised.begin(), exercised.end());
    CHECK(exercised == mounted_routes(module));
  }
}

TEST_CASE("the third way is the product's: who shows no certificate gets nothing, and who does not need a module may not call it") {
  int refused = 0;
  for (const auto& module : house_names()) {
    CAPTURE(module);
    const auto way = remote(module);
    const auto route = mounted_routes(module).front();
    const auto plain = way->ask_as("", route);
    REQUIRE(!plain);
    CHECK(plain.error().code == (route.starts_with("GET ") ? Errc::unavailable : Errc::outcome_unknown));
    for (const auto& caller : all_modules()) {
      CAPTURE(caller.name);
      const bool needs = std::find(caller.needs.begin(), caller.needs.end(), module) != caller.needs.end();
      const auto answer = way->ask_as(caller.name, route);
      CHECK(needs == (answer || answer.error().detail != "this module may not call that"));
      refused += needs ? 0 : 1;
    }
  }
  CHECK(refused > 0);
}

TEST_CASE("realtime offers no port: its contract is the socket, which tests/realtime speaks") {
  for (const auto& module : modules_without_ports()) {
    CHECK(module.name == "realtime");
    CHECK(!module.mount);
    CHECK(!module.connect);
  }
}

}  // namespace loggia::contract
