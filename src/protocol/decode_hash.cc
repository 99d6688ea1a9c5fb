// HSET and its kin.
#include "protocol/decode_families.h"

namespace protocol {

base::Status read_hash_set(Words& words, core::HashSet& set) {
  constexpr size_t kPairWords = 2;
  set.key = words.take();
  if (words.left() % kPairWords != 0) {
    return base::fail(base::ErrorCode::kErr, "wrong number of arguments for 'hset' command");
  }
  set.fields.reserve(words.left() / kPairWords);
  while (!words.empty()) {
    const std::string_view field = words.take();
    set.fields.emplace_back(field, words.take());
  }
  return {};
}

base::Status read_hash_add(Words& words, core::HashAdd& add) {
  add.key = words.take();
  add.field = words.take();
  add.by = TRY(read_number(words.take()));
  return {};
}

}  // namespace protocol
