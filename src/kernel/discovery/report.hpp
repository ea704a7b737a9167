#pragma once
// How every instance of every module is, for `loggia instances`: each is asked itself, on its inner listener.
#include "loggia/kernel/discovery.hpp"

namespace loggia::discovery {

inline constexpr std::string_view report_route = "GET /bus/instance";

/// What a process cannot do its work without: an entry of /readyz that is down.
struct Down {
  std::string name, detail;
};
BOOST_DESCRIBE_STRUCT(Down, (), (name, detail))

struct LeftOut {
  std::string module, address;
};
BOOST_DESCRIBE_STRUCT(LeftOut, (), (module, address))

/// What a process says of itself, and which instances its own calls do not go to now.
struct Report {
  bool serving = false;
  std::vector<Down> down;
  std::int64_t in_flight = 0;  // calls of other processes
  std::vector<LeftOut> left_out;
};
BOOST_DESCRIBE_STRUCT(Report, (), (serving, down, in_flight, left_out))

/// What who asks knows before it does.
struct Asking {
  std::vector<std::string> modules;  // of this build; the table has their order
  std::shared_ptr<Discovery> discovery;
  std::string kind;               // discovery.kind
  std::vector<std::string> here;  // of this process
  std::string address;            // under which others know it; empty: they cannot
  Report own;
  std::function<Result<std::shared_ptr<InstanceTransport>>(const std::string& module, const std::string& address)> connect;
  /// No answer means that nobody is there. False without a certificate: who wants to see one does not answer either.
  bool silence_tells = true;
};

/// A line for each instance, after a line that says what stands where. Within a second or little more. `tasks` outlives it.
Async<std::string> ask_instances(Asking asking, std::shared_ptr<Clock> clock, Tasks& tasks);

}  // namespace loggia::discovery
