#pragma once
// The built web client (web/dist), put into the executable while it is built: modules/gateway/CMakeLists.txt. Constant.
#include <span>
#include <string_view>

namespace loggia::gateway {

struct WebFile {
  std::string_view path, type;     // "/assets/index-B1x9.js", "text/javascript; charset=utf-8"
  std::string_view bytes, zipped;  // zipped: by gzip, also while it was built; empty where that saves nothing
  bool hashed;                     // the name holds a hash of the content: it never changes
};
/// Empty where the executable was built without it.
std::span<const WebFile> web_files();

}  // namespace loggia::gateway
