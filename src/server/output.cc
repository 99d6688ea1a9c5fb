#include "server/output.h"

#include "base/assert.h"

namespace server {
namespace {

// More room than this is given back once it is empty: large replies are rare, connections many.
constexpr size_t kBytesKept = size_t{256} << 10;
// By which one large value is longer on the wire than on the tape, at most.
constexpr size_t kWireBytesMore = 64;

}  // namespace

void Output::add(const core::Reply& reply, protocol::RespVersion version, bool verbatim,
                 Grants&& grants) {
  make_room(reply.tape().size() + kWireBytesMore);
  const size_t before = bytes_.size();
  if (verbatim) {
    core::ReplyReader reader(reply.tape());
    const bool is_text = reader.tag() == core::ReplyTag::kBulk;
    ASSERT(is_text, "only a text is verbatim");
    protocol::encode_verbatim(reader.bytes(), version, bytes_);
  } else {
    protocol::encode_reply(reply.tape(), version, bytes_);
  }
  bytes_added_ += bytes_.size() - before;
  if (!grants.empty()) deliveries_.push_back({bytes_added_, std::move(grants)});
}

// As much as a large reply needs. A string that grows by itself doubles, and what all connections
// hold is bounded by what their replies take on the tape.
void Output::make_room(size_t size) {
  if (size <= kBytesKept || bytes_.capacity() - bytes_.size() >= size) return;
  std::string roomy;
  roomy.reserve(this->size() + size);
  roomy.append(pending());
  bytes_.swap(roomy);
  begin_ = 0;
}

void Output::taken(size_t size) {
  ASSERT(size <= this->size(), "{} bytes taken of {}", size, this->size());
  begin_ += size;
  bytes_taken_ += size;
  while (!deliveries_.empty() && deliveries_.front().end <= bytes_taken_) deliveries_.pop_front();
  if (begin_ == bytes_.size()) {
    bytes_.clear();
    begin_ = 0;
    if (bytes_.capacity() > kBytesKept) bytes_.shrink_to_fit();
  } else if (begin_ > kBytesKept && begin_ > bytes_.size() / 2) {
    bytes_.erase(0, begin_);
    begin_ = 0;
  }
}

void Output::trim() {
  if (empty()) std::string().swap(bytes_);
  if (empty()) begin_ = 0;
}

Grants Output::take_ungot() {
  Grants ungot;
  for (Delivery& delivery : deliveries_) {
    ungot.insert(ungot.end(), delivery.grants.begin(), delivery.grants.end());
  }
  deliveries_.clear();
  return ungot;
}

}  // namespace server
