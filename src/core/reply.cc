#include "core/reply.h"

namespace core {

void Reply::error(base::ErrorCode code, std::string_view message) {
  tag(ReplyTag::kError);
  *tape_.extend(1) = static_cast<char>(code);
  const auto size = static_cast<uint32_t>(message.size());
  std::memcpy(tape_.extend(sizeof size), &size, sizeof size);
  tape_.append(message);
}

}  // namespace core
