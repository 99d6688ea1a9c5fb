#include "repair/state_digest.h"

#include "repair/images.h"

#include <string>
#include <utility>

#include "base/crc32c.h"
#include "store/effect_codec.h"

namespace repair {
namespace {

// Adds up what a checkpoint writes. A sum, because the order of hash tables is nobody's state.
class Digest final : public core::EffectSink {
 public:
  explicit Digest(base::Now now) : now_(now) {}

  void put(const core::Effect& effect) override {
    if (const auto* ledger = std::get_if<core::LedgerPut>(&effect)) return put_entries(*ledger);
    add(effect);
  }
  // A slice of the checkpoint asks how much it has written.
  size_t mark() const override { return bytes_; }
  void rewind(size_t /*mark*/) override {}

  uint64_t sum() const { return sum_; }

 private:
  void add(const core::Effect& effect) {
    store::EffectEncoder encoder;
    encoder.begin(now_);
    encoder.put(effect);
    const std::string text = encoder.take();
    const auto bytes = std::as_bytes(std::span(text.data(), text.size()));
    bytes_ += bytes.size();
    sum_ += uint64_t{base::crc32c(bytes)} << 32U | base::crc32c(bytes, 1);
  }

  // Which entries share a block, and how their times are rounded in it, depends on its history.
  void put_entries(const core::LedgerPut& ledger) {
    for (core::LedgerEntry entry : ledger.entries) {
      entry.until = {};
      core::LedgerPut one;
      one.entries.push_back(entry);
      add(std::move(one));
    }
  }

  const base::Now now_;
  size_t bytes_ = 0;
  uint64_t sum_ = 0;
};

}  // namespace

uint64_t digest_of(const core::State& state, base::Now now) {
  Digest digest(now);
  Images images;
  images.begin(state, 1);
  while (!images.slice(state, digest)) {
  }
  return digest.sum();
}

}  // namespace repair
