// EXEC: a group of commands, all or none.
#include "core/context.h"

namespace core {

using base::ErrorCode;

namespace {

// The first error in a command's reply, also inside an array of results; nothing if there is none.
std::optional<base::Error> error_in(std::string_view tape) {
  ReplyReader reader(tape);
  while (!reader.done()) {
    switch (reader.tag()) {
      case ReplyTag::kError: {
        const ErrorCode code = reader.code();
        return base::Error{code, std::string(reader.bytes())};
      }
      case ReplyTag::kInteger:
        reader.integer();
        break;
      case ReplyTag::kBulk:
      case ReplyTag::kSimple:
        reader.bytes();
        break;
      case ReplyTag::kArray:
      case ReplyTag::kMap:
      case ReplyTag::kPush:
        reader.count();
        break;
      case ReplyTag::kOk:
      case ReplyTag::kNil:
        break;
    }
  }
  return std::nullopt;
}

struct Failed {
  GroupMark mark;  // Where the group begins.
  size_t index;    // Of the command.
};

// Takes the group back.
void take_back(Context& context, Failed at, const base::Error& error, Answer& answer) {
  context.state.end_group(false);
  rewind(context, at.mark);
  answer.clear();
  answer.reply.error(ErrorCode::kExecAbort,
                     fmt::format("index={} {} {}; nothing was done", at.index,
                                 base::error_word(error.code), error.message));
}

}  // namespace

void apply_exec(Context& context, const Exec& exec, Answer& answer) {
  if (exec.commands.size() > limits::kBatchItemsMax) {
    return answer.reply.error(ErrorCode::kExecAbort,
                              fmt::format("limit={} got={} commands; nothing was done",
                                          limits::kBatchItemsMax, exec.commands.size()));
  }
  const GroupMark mark = group_mark(context);
  context.state.begin_group();
  answer.reply.array(static_cast<uint32_t>(exec.commands.size()));
  for (size_t i = 0; i < exec.commands.size(); ++i) {
    Answer one;
    apply(context, exec.commands[i], one);
    ASSERT(!one.blocks && one.grants.empty(), "command {} is not for a group", i);
    auto error = error_in(one.reply.tape());
    answer.reply.append(one.reply);
    const size_t bytes = answer.reply.tape().size();
    if (!error && bytes > limits::kReplyBytesMax) {
      error = base::Error{ErrorCode::kTooBig, fmt::format("limit={} got={} bytes of one reply",
                                                          limits::kReplyBytesMax, bytes)};
    }
    if (error) return take_back(context, {mark, i}, *error, answer);
  }
  context.state.end_group(true);
}

}  // namespace core
