#include "compression.hpp"
#include <zlib.h>
#include <stdexcept>

namespace loggia::gateway {

std::string gzip(std::string_view bytes) {
  z_stream stream{};
  constexpr int gzip_window = 15 + 16;
  const int begun = deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, gzip_window, 8, Z_DEFAULT_STRATEGY);
  if (begun != Z_OK) throw std::runtime_error("zlib has no memory");
  std::string out(deflateBound(&stream, bytes.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const bool whole = deflate(&stream, Z_FINISH) == Z_STREAM_END;
  out.resize(stream.total_out);
  deflateEnd(&stream);
  if (!whole) throw std::runtime_error("zlib did not end its stream");
  return out;
}

bool accepts_gzip(std::string_view header) {
  std::string low;
  for (const char c : header)
    if (c != ' ' && c != '\t') low += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  bool any = false;
  for (std::string_view rest = low; !rest.empty();) {
    const auto comma = rest.find(',');
    const auto one = rest.substr(0, comma);
    rest = comma == rest.npos ? std::string_view() : rest.substr(comma + 1);
    const auto parameters = one.find(';');
    const auto coding = one.substr(0, parameters);
    auto weight = parameters == one.npos ? std::string_view("1") : one.substr(parameters + 1);
    if (weight.starts_with("q=")) weight.remove_prefix(2);
    const bool wanted = weight.find_first_not_of("0.") != weight.npos;
    if (coding == "gzip" || coding == "x-gzip") return wanted;
    if (coding == "*") any = wanted;
  }
  return any;
}

}  // namespace loggia::gateway
