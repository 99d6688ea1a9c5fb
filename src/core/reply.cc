#include "core/reply.h"

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

}  // namespace core
