#pragma once
// What a call, its Context and its answer look like in HTTP (loggia/kernel/rpc.hpp says it in words). Pure functions; both sides use them.
#include <optional>
#include <string>
#include <string_view>
#include <vector>
#include "loggia/kernel/context.hpp"
#include "loggia/kernel/http.hpp"
#include "loggia/kernel/router.hpp"

namespace loggia::rpc {

inline constexpr std::string_view base = "/rpc";

std::string percent_encoded(std::string_view text);

/// The method of "GET /users/{id}", and its path.
std::string_view method_of(std::string_view route);
std::string_view path_of(std::string_view route);
/// The names in a route's braces.
std::vector<std::string> names_in(std::string_view route);
std::string target_of(const Call& call);

/// `left`: of the deadline; none: there is none. Without `people` only the module says who it is.
Parameters headers_of(const Context& context, std::optional<milliseconds> left, bool people);
/// Errc::malformed for headers that no transport of ours writes.
Result<Context> context_of(const HttpRequest& request, Moment now);
/// It says on behalf of which person it asks.
bool names_a_person(const HttpRequest& request);

/// The same for every process: who was refused, and why.
Counter& refused(Metrics& metrics, std::string reason);

/// In a header beside bytes, percent-encoded JSON.
inline constexpr std::string_view reply_header = "loggia-reply";
/// Bytes are sent until `deadline`.
HttpResponse response_of(Result<Answer> answer, const Trace& trace, Moment deadline = Moment::max());

/// In an answer: the process is starting or stopping, and has not begun with the call.
inline constexpr const char* turned_away_header = "loggia-turned-away";

/// What came back, without HTTP around it. `reply`: what an answer says beside bytes.
struct Received {
  int status = 0;
  std::string content_type, retry_after, reply, body;
  bool turned_away = false;
};
Result<Answer> answer_of(Received received);
/// Of an answer whose bytes follow.
Result<Answer> answer_of(const Received& received, ByteStream bytes);

}  // namespace loggia::rpc
