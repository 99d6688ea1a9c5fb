// What a client may do: rights on queues, by name. The server makes them of a token's scopes; here
// they decide which jobs a command that names jobs by id can see.
//
// Threading: constant after construction; shared by all.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace core {

enum class Right : uint8_t { kEnqueue, kWork, kRead, kAdmin };
inline constexpr size_t kRightCount = 4;

// Several rights. Where it says what is needed, any one of them is enough.
using RightSet = uint8_t;

constexpr RightSet set_of(Right right) {
  return static_cast<RightSet>(1U << static_cast<unsigned>(right));
}

// Returns "enqueue", "work", "read" or "admin".
std::string_view right_name(Right right);

class Rights {
 public:
  // Grants the right on one queue, or on all whose names begin with `name`. Admin holds the others.
  void grant(Right right, std::string_view name, bool is_prefix);

  // Whether one of `need` is given on the queue, or key, of that name.
  bool allow(RightSet need, std::string_view name) const;
  // Whether one of `need` is given on anything at all.
  bool allow_some(RightSet need) const;
  // Whether one of `need` is given on everything.
  bool allow_all(RightSet need) const;

 private:
  struct Grant {
    RightSet rights;
    bool is_prefix;
    std::string name;
  };
  std::vector<Grant> grants_;
};

// What a reference to a job was made with. No rights: everything may be seen, as the server itself
// and those of a server without tokens may. The rights must outlive the command.
struct Sight {
  const Rights* rights = nullptr;
  RightSet need = 0;

  bool sees(std::string_view queue) const {
    return rights == nullptr || rights->allow(need, queue);
  }
  bool sees_all() const { return rights == nullptr || rights->allow_all(need); }
};

}  // namespace core
