// Any bytes as what an HTTP client sends, whole and in pieces: the same requests and the same end,
// within the bounds.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "server/connection_limits.h"
#include "server/http_reader.h"

namespace server {
namespace {

using Outcome = HttpReader::Outcome;

void check_bounds(const HttpReader& reader) {
  const HttpReader::Request& request = reader.request();
  ASSERT(request.body().size() <= kHttpBodyBytesMax, "{}", request.body().size());
  ASSERT(request.target().size() <= kHttpUrlBytesMax, "{}", request.target().size());
}

struct Understood {
  std::string requests;
  Outcome end = Outcome::kNeedsBytes;  // Or a refusal, behind which nothing is read.
};

Understood understood(std::string_view bytes, size_t piece) {
  HttpReader reader;
  std::string text;
  while (true) {
    switch (reader.read()) {
      case Outcome::kResp:
        return {text, Outcome::kResp};
      case Outcome::kRefused:
        ASSERT(reader.refusal().text.ends_with('\n'));
        return {text, Outcome::kRefused};
      case Outcome::kRequest: {
        check_bounds(reader);
        const HttpReader::Request& request = reader.request();
        text.append(request.method_string()).append(" ").append(request.target());
        for (const auto& field : request) {
          text.append("\n").append(field.name_string()).append(": ").append(field.value());
        }
        text.append("\n").append(request.body()).append("\n");
        reader.begin();
        if (reader.has_bytes()) continue;
        break;
      }
      case Outcome::kNeedsBytes:
        break;
    }
    if (bytes.empty()) return {text, Outcome::kNeedsBytes};
    const boost::asio::mutable_buffer room = reader.room();
    const size_t size = std::min({piece, bytes.size(), room.size()});
    std::copy_n(bytes.data(), size, static_cast<char*>(room.data()));
    reader.filled(size);
    bytes.remove_prefix(size);
  }
}

}  // namespace
}  // namespace server

// The first byte says how large the pieces are. Beyond the bound of a header it depends on the
// pieces which of two bounds is met first.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2 || size > server::kHttpHeaderBytesMax / 2) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  using server::Outcome;
  const server::Understood whole = server::understood(bytes, bytes.size());
  const server::Understood pieces = server::understood(bytes, size_t{1} + data[0] % 16);
  ASSERT(whole.requests == pieces.requests, "whole: {}; in pieces: {}", whole.requests,
         pieces.requests);
  // What is wrong with a line that is not over is seen at once, or when it is.
  const auto judges = [](const server::Understood& one) { return one.end == Outcome::kRefused; };
  ASSERT(whole.end == pieces.end || judges(whole) || judges(pieces));
  return 0;
}
