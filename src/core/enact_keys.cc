// What the effects on keys do to the state: enact.cc has the others.
#include "base/assert.h"
#include "core/state.h"

namespace core {

using base::Now;
using base::Status;

Status State::enact(KeyPut&& put, Now /*now*/) {
  string_keys_.put(put.name, put.value, put.expiry);
  return {};
}

Status State::enact(KeyRemoved&& removed, Now /*now*/) {
  ASSERT(recovering_ || string_keys_.holds(removed.name), "a key that is not held is removed");
  string_keys_.remove(removed.name);  // While recovering its frame may be gone already.
  return {};
}

Status State::enact(KeyExpiryPut&& put, Now /*now*/) {
  ASSERT(recovering_ || string_keys_.holds(put.name), "a key that is not held gets an end");
  string_keys_.put_expiry(put.name, put.expiry);
  return {};
}

Status State::enact(HashFieldPut&& put, Now /*now*/) {
  string_keys_.put_field(put.name, put.field, put.value);
  return {};
}

Status State::enact(HashFieldRemoved&& removed, Now /*now*/) {
  string_keys_.remove_field(removed.name, removed.field);
  return {};
}

}  // namespace core
