// Any bytes as a journal frame's payload: they are CORRUPT, or effects that can be written again,
// and then stay the same.
#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/assert.h"
#include "store/effect_codec.h"

namespace {

base::Result<std::string> written_again(std::string_view payload) {
  store::EffectEncoder encoder;
  std::optional<base::Now> last;
  TRY(store::decode_effects(payload, [&](core::Effect&& effect, base::Now now) -> base::Status {
    if (last != now) encoder.begin(now);
    last = now;
    encoder.put(effect);
    return {};
  }));
  return encoder.take();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const base::Result<std::string> once =
      written_again({reinterpret_cast<const char*>(data), size});
  if (!once) {
    ASSERT(once.error().code == base::ErrorCode::kCorrupt);
    return 0;
  }
  const base::Result<std::string> twice = written_again(*once);
  ASSERT(twice.has_value(), "what was read can't be read again");
  ASSERT(*twice == *once);
  return 0;
}
