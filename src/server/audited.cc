#include "server/audited.h"

#include <fmt/format.h>

#include "auth/authorise.h"
#include "base/error.h"

namespace server {

Audited audited(const protocol::CommandSpec& spec, const core::Command& command) {
  constexpr size_t kNamesBytesMax = 2'000;  // A line of the log holds no more.
  std::string names;
  size_t left_out = 0;
  auth::visit_names(command, [&](auth::Named, std::string_view name) {
    if (names.size() + name.size() > kNamesBytesMax) {
      ++left_out;
      return;
    }
    if (!names.empty()) names += ' ';
    names += name;
  });
  if (left_out != 0) names += fmt::format(" and {} more", left_out);
  return {&spec, std::move(names)};
}

std::string_view outcome_of(const core::Reply& reply) {
  core::ReplyReader reader(reply.tape());
  while (!reader.done()) {
    switch (reader.tag()) {
      case core::ReplyTag::kError:
        return base::error_word(reader.code());
      case core::ReplyTag::kInteger:
        reader.integer();
        break;
      case core::ReplyTag::kBulk:
      case core::ReplyTag::kSimple:
        reader.bytes();
        break;
      case core::ReplyTag::kArray:
      case core::ReplyTag::kMap:
      case core::ReplyTag::kPush:
        reader.count();
        break;
      case core::ReplyTag::kOk:
      case core::ReplyTag::kNil:
        break;
    }
  }
  return "OK";
}

}  // namespace server
