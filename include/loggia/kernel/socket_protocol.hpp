#pragma once
// What a WebSocket protocol is to a reader of the API description: requests with their answers, frames that the server pushes, the
// codes of its end. Texts are literals, schemas JSON Schema as text. Constant; any thread.
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace loggia {

struct SocketProtocol {
  using Schema = std::function<std::string()>;
  /// `{"id", "op", …in}`, answered by `{"re", "ok"}` or `{"re", "error"}`.
  struct Request {
    std::string_view op, summary;
    Schema in, ok;
  };
  /// `{"ev", "room"?, "at", "data"}`.
  struct Push {
    std::string_view ev, summary;
    bool room = false;
    Schema data;
  };
  struct Close {
    int code = 0;
    std::string_view why;
  };
  std::string_view name;     // the subprotocol
  std::string_view address;  // of the handshake
  std::string_view summary;
  std::vector<Request> requests;
  Schema error;
  /// The topic whose events carry frames that are pushed as they are stored: a frame for each of its types.
  std::string_view timeline;
  std::vector<Push> pushes;
  std::vector<Close> closes;
};

}  // namespace loggia
