#include "protocol/words.h"

#include <charconv>

#include "base/base32.h"
#include "protocol/text.h"

namespace protocol {
namespace {

constexpr std::string_view kKeyPrefix = "key:";
constexpr size_t kShownBytesMax = 32;

bool has_canonical_sign_and_zeros(std::string_view word) {
  if (word == "0") return true;
  if (word.starts_with('-')) word.remove_prefix(1);
  return !word.empty() && word.front() >= '1' && word.front() <= '9';
}

template <typename Number>
base::Result<Number> parse_number(std::string_view field, std::string_view word) {
  Number number = 0;
  const char* const end = word.data() + word.size();
  const auto [stop, fault] = std::from_chars(word.data(), end, number);
  const bool read = fault == std::errc{} && stop == end && has_canonical_sign_and_zeros(word);
  if (read) [[likely]]
    return number;
  if (fault == std::errc::result_out_of_range && stop == end) {
    return bad_field(field, "must be a number of 64 bits, got '{}'",
                     printable(word, kShownBytesMax));
  }
  return bad_field(field, "must be a whole number, got '{}'", printable(word, kShownBytesMax));
}

}  // namespace

base::Result<int64_t> parse_integer(std::string_view field, std::string_view word) {
  return parse_number<int64_t>(field, word);
}

base::Result<uint64_t> parse_unsigned(std::string_view field, std::string_view word) {
  return parse_number<uint64_t>(field, word);
}

base::Result<core::JobRef> parse_job(std::string_view word) {
  core::JobRef job;
  job.text = word;
  if (const auto id = base::base32_decode_u64(word)) [[likely]] {
    job.id.value = *id;
    return job;
  }
  if (word.size() > kKeyPrefix.size() && word.starts_with(kKeyPrefix)) {
    job.key = word.substr(kKeyPrefix.size());
    return job;
  }
  return bad_field("id", "must be the {} characters of a job's id, or key:<name>; got '{}'",
                   base::kBase32U64Length, printable(word, kShownBytesMax));
}

core::TokenRef parse_token(std::string_view word) {
  core::TokenRef token;
  if (const auto parsed = core::parse_lease_token(word)) {
    token.token = *parsed;
    token.valid = true;
  }
  return token;
}

base::Result<std::string_view> Words::value(std::string_view field) {
  if (words_.empty()) return bad_field(field, "needs a value behind it");
  return take();
}

base::Result<int64_t> Words::integer(std::string_view field) {
  return parse_integer(field, TRY(value(field)));
}

base::Result<uint64_t> Words::unsigned_integer(std::string_view field) {
  return parse_unsigned(field, TRY(value(field)));
}

base::Result<size_t> Words::count(std::string_view field, const CountRule& rule) {
  const int64_t announced = TRY(integer(field));
  if (announced < static_cast<int64_t>(rule.least) || announced > static_cast<int64_t>(rule.most)) {
    return bad_field(field, "must count {} to {} items, got {}", rule.least, rule.most, announced);
  }
  const auto count = static_cast<size_t>(announced);
  if (count * rule.words_each > words_.size()) {
    return bad_field(field, "counts {} items of {} words, but only {} words follow", count,
                     rule.words_each, words_.size());
  }
  return count;
}

base::Status Words::end() const {
  if (words_.empty()) [[likely]]
    return {};
  return bad_field("n", "counts fewer items than there are: {} words are left over", words_.size());
}

}  // namespace protocol
