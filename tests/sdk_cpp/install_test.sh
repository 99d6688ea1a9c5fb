#!/usr/bin/env bash
# Installs the C++ SDK into an empty folder and builds a program against it, once with CMake and once
# with pkg-config.
set -o errexit -o nounset -o pipefail

source_folder=$PWD
work=$(mktemp --directory)
trap 'rm --recursive --force "$work"' EXIT
prefix=$work/prefix

fail() {
  echo "install_test: $*" >&2
  exit 1
}

expect_greeting() {
  local output
  output=$("$@")
  [[ $output == $'hello, world\nBADREQ, ours' ]] || fail "$1 printed: $output"
}

cmake --install "$DRAY_BUILD" --prefix "$prefix" --component sdk_cpp >"$work/log" \
  || { cat "$work/log" >&2; fail "cmake --install"; }

# Nothing but the public headers, and all of them.
diff <(cd sdk/cpp/include && find . -name '*.h' | sort) \
     <(cd "$prefix/include" && find . -type f | sort) || fail "other headers than the public ones"

# Moved, because a package must not know where it was made.
mv "$prefix" "$work/moved"
prefix=$work/moved
lib=$(dirname "$(find "$prefix" -name libdray.a)")

cmake -S tests/sdk_cpp/outside -B "$work/build" -DCMAKE_PREFIX_PATH="$prefix" \
  -DCMAKE_CXX_COMPILER="$CXX" >"$work/log" || { cat "$work/log" >&2; fail "find_package"; }
cmake --build "$work/build" >"$work/log" || { cat "$work/log" >&2; fail "the build with CMake"; }
expect_greeting "$work/build/outside"
expect_greeting "$work/build/outside_shared"

export PKG_CONFIG_PATH=$lib/pkgconfig
read -r -a flags <<<"$(pkg-config --cflags --libs dray)"
"$CXX" -std=c++20 "$source_folder/tests/sdk_cpp/outside/main.cc" "${flags[@]}" \
  -Wl,-rpath,"$lib" -o "$work/with_pkg_config"
expect_greeting "$work/with_pkg_config"

# Who links the archive has to be told of OpenSSL; who links the shared library has not.
[[ ${flags[*]} != *-lssl* ]] || fail "dray.pc names OpenSSL to all"
read -r -a flags <<<"$(pkg-config --static --cflags --libs dray)"
"$CXX" -std=c++20 "$source_folder/tests/sdk_cpp/outside/main.cc" "${flags[@]/#-ldray/-l:libdray.a}" \
  -o "$work/with_archive"
expect_greeting "$work/with_archive"

# The names of the inside are not to be met by a user's.
if nm --demangle --defined-only "$lib/libdray.a" \
  | grep --extended-regexp ' [TDBR] (base|core|protocol)::'; then
  fail "libdray.a shows names that a user may have"
fi
if nm --demangle --dynamic --defined-only "$lib/libdray.so" \
  | cut --delimiter=' ' --fields=3- | grep --invert-match 'dray::'; then
  fail "libdray.so shows more than its own names"
fi
