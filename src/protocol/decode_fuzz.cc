// Any bytes, whole and in pieces: the same commands come of them. The first byte chooses the
// pieces. Each piece comes in a buffer of its own, so that a view into an older one is found out.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "base/assert.h"
#include "protocol/decode.h"
#include "protocol/resp_encoder.h"
#include "protocol/resp_parser.h"

namespace protocol {
namespace {

// What came of one request: its words, and the command or the error.
std::string outcome_of(Arguments words) {
  if (words.empty()) return "nothing\n";
  std::string text;
  for (const std::string_view word : words) encode_bulk(word, text);
  const CommandSpec* spec = find_command(words[0]);
  if (spec == nullptr) return text + unknown_command(words).message + "\n";
  if (spec->local() && spec->built) return text + "local\n";
  const base::Result<core::Command> command = decode(*spec, words);
  if (!command) {
    ASSERT(!command.error().message.empty());
    return text + command.error().message + "\n";
  }
  return text + "command " + std::to_string(command->body.index()) + "\n";
}

std::string outcomes(std::string_view bytes, size_t piece) {
  RespParser parser(kRespLimitsClient);
  std::string text;
  auto unread = std::make_unique<std::string>();
  while (true) {
    const ParseStatus status = parser.parse(*unread);
    if (status == ParseStatus::kError) return text + parser.error_text();
    if (status == ParseStatus::kRequest) {
      text += outcome_of(parser.arguments());
      unread = std::make_unique<std::string>(unread->substr(parser.consumed()));
      continue;
    }
    if (bytes.empty()) return text;
    unread = std::make_unique<std::string>(*unread + std::string(bytes.substr(0, piece)));
    bytes.remove_prefix(std::min(piece, bytes.size()));
  }
}

}  // namespace
}  // namespace protocol

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2 || size > 4096) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data + 1), size - 1);
  const std::string whole = protocol::outcomes(bytes, bytes.size());
  ASSERT(protocol::outcomes(bytes, 1) == whole);
  ASSERT(protocol::outcomes(bytes, 1 + size_t{data[0]}) == whole);
  return 0;
}
