#include "core/reply.h"

#include "base/assert.h"

namespace core {

void Reply::text(ReplyTag value, std::string_view bytes) {
  tag(value);
  const auto size = static_cast<uint32_t>(bytes.size());
  raw(&size, sizeof size);
  tape_.append(bytes);
}

void Reply::error(base::ErrorCode code, std::string_view message) {
  tag(ReplyTag::kError);
  tape_.push_back(static_cast<char>(code));
  const auto size = static_cast<uint32_t>(message.size());
  raw(&size, sizeof size);
  tape_.append(message);
}

template <typename T>
T ReplyReader::take() {
  ASSERT(rest_.size() >= sizeof(T));
  T value;
  std::memcpy(&value, rest_.data(), sizeof(T));
  rest_.remove_prefix(sizeof(T));
  return value;
}

ReplyTag ReplyReader::tag() { return static_cast<ReplyTag>(take<char>()); }
int64_t ReplyReader::integer() { return take<int64_t>(); }
uint32_t ReplyReader::count() { return take<uint32_t>(); }
base::ErrorCode ReplyReader::code() { return static_cast<base::ErrorCode>(take<uint8_t>()); }

std::string_view ReplyReader::bytes() {
  const uint32_t size = take<uint32_t>();
  ASSERT(rest_.size() >= size);
  const std::string_view value = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return value;
}

}  // namespace core
