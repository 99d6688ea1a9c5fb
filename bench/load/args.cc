#include "bench/load/args.h"

#include <charconv>
#include <stdexcept>

#include "bench/load/reply.h"

namespace load {
namespace {

constexpr std::string_view kHead = R"({"n":")";
constexpr std::string_view kMiddle = R"(","pad":")";
constexpr std::string_view kTail = R"("})";
static_assert(kHead.size() == kMarkOffset);
static_assert(kHead.size() + kMarkDigits + kMiddle.size() + kTail.size() <= kArgsBytesMin);

[[noreturn]] void throw_changed(std::string_view args) {
  throw ProtocolError("args came back changed: " + std::string(args.substr(0, 64)));
}

}  // namespace

std::string make_args(size_t bytes) {
  if (bytes < kArgsBytesMin) throw std::invalid_argument("args are too small to carry a mark");
  std::string args;
  args.reserve(bytes);
  args.append(kHead).append(kMarkDigits, '0').append(kMiddle);
  args.append(bytes - args.size() - kTail.size(), 'x').append(kTail);
  return args;
}

void write_mark(uint64_t mark, char* digits) {
  constexpr char kHex[] = "0123456789abcdef";
  for (size_t i = kMarkDigits; i-- > 0; mark >>= 4) digits[i] = kHex[mark & 15U];
}

uint64_t read_mark(std::string_view args) {
  uint64_t mark = 0;
  if (args.size() >= kArgsBytesMin && args.substr(0, kMarkOffset) == kHead) {
    const char* const digits = args.data() + kMarkOffset;
    const auto [stop, code] = std::from_chars(digits, digits + kMarkDigits, mark, 16);
    if (code == std::errc() && stop == digits + kMarkDigits) return mark;
  }
  throw_changed(args);
}

uint64_t check_args(std::string_view args, std::string_view made) {
  constexpr size_t kRest = kMarkOffset + kMarkDigits;
  const uint64_t mark = read_mark(args);
  if (args.substr(kRest) != made.substr(kRest)) throw_changed(args);
  return mark;
}

}  // namespace load
