#!/usr/bin/env bash
# run.sh: all tests of the C library, called by `make test` with LIB and BUILD. The last line counts
# them. Files go into a folder that is deleted at the end.
set -uo pipefail
cd "$(dirname "$0")/.."

folder=$(mktemp -d)
trap 'chmod -R u+rwx "$folder"; rm -rf "$folder"' EXIT
passed=0 failed=0 skipped=0

# check NAME COMMAND...: one test; status 77 means that something needed for it is missing.
check() {
    local name=$1 status=0
    shift
    "$@" > "$folder/log" 2>&1 || status=$?
    case $status in
        0) passed=$((passed + 1)) ;;
        77)
            skipped=$((skipped + 1))
            echo "SKIP $name: $(tail -n 1 "$folder/log")"
            ;;
        *)
            failed=$((failed + 1))
            cat "$folder/log"
            echo "FAILED $name"
            ;;
    esac
}

# suite NAME COMMAND...: a program that counts its own tests in its last line; it gets a folder.
suite() {
    local name=$1 status=0 counts
    shift
    mkdir "$folder/$name"
    "$@" "$folder/$name" > "$folder/log" 2>&1 || status=$?
    counts=$(sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed, \([0-9]*\) skipped$/\1 \2 \3/p' "$folder/log")
    read -r p f s <<< "${counts:-0 0 0}"
    echo "$name: $p passed, $f failed, $s skipped"
    grep '^SKIP ' "$folder/log"
    # A crash or an error that valgrind found is a failure too.
    if [ "$status" != 0 ]; then
        [ "$f" -gt 0 ] || f=1
        cat "$folder/log"
    fi
    passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
}

the_header_is_the_one_that_is_generated() {
    ../../ffi/header.sh "$folder/revwatch.h" && diff -u include/revwatch.h "$folder/revwatch.h" ||
        { echo "run 'make header' and look at what changed"; return 1; }
}

cffi_reads_the_header() {
    local python=$LIB/../venv/bin/python
    [ -x "$python" ] || python=python3
    "$python" tests/header_parses.py include/revwatch.h "$LIB/librevwatch.so" && return
    local status=$?
    [ $status != 77 ] || echo "cffi is not installed"
    return $status
}

cxx_compiles_the_header() {
    command -v "${CXX:-c++}" > /dev/null || { echo "there is no C++ compiler"; return 77; }
    printf '#include "revwatch.h"\nint main() { return revwatch_store_close(nullptr); }\n' > "$folder/cxx.cc"
    "${CXX:-c++}" -std=c++11 -Wall -Wextra -Wpedantic -Werror -Iinclude "$folder/cxx.cc" \
        -L"$LIB" -lrevwatch -Wl,-rpath,"$LIB" -o "$folder/cxx" && "$folder/cxx"
}

the_example_runs() { "$BUILD/watch" "$folder/example"; }

# What is installed is complete: the example is built against it as its pkg-config file says, and
# with CMake where there is one.
an_installed_library_can_be_used() {
    local prefix=$folder/prefix config flags
    make --no-print-directory install PREFIX="$prefix" > "$folder/install" 2>&1 || { cat "$folder/install"; return 1; }
    config=$prefix/lib/pkgconfig/revwatch.pc
    flags=$(sed -n 's/^Cflags: //p; s/^Libs: //p' "$config" | tr '\n' ' ')
    flags=${flags//'${includedir}'/$prefix/include}
    flags=${flags//'${libdir}'/$prefix/lib}
    # shellcheck disable=SC2086 # flags are words
    cc -std=c11 ../../examples/c/watch.c $flags -Wl,-rpath,"$prefix/lib" -o "$folder/installed" || return 1
    readlink -e "$prefix/lib/librevwatch.so" || return 1
    "$folder/installed" "$folder/installed-store" || return 1
    command -v cmake > /dev/null || return 0
    mkdir "$folder/cmake" && cp ../../examples/c/watch.c "$folder/cmake" || return 1
    cat > "$folder/cmake/CMakeLists.txt" << 'END'
cmake_minimum_required(VERSION 3.10)
project(example C)
find_package(revwatch 0.1 REQUIRED)
foreach(kind revwatch static)
  add_executable(watch-${kind} watch.c)
  target_link_libraries(watch-${kind} revwatch::${kind})
endforeach()
END
    cmake -S "$folder/cmake" -B "$folder/cmake/build" -DCMAKE_PREFIX_PATH="$prefix" &&
        cmake --build "$folder/cmake/build" &&
        "$folder/cmake/build/watch-revwatch" "$folder/cmake/a" &&
        "$folder/cmake/build/watch-static" "$folder/cmake/b"
}

suite shared "$BUILD/test-shared"
cat "$BUILD/histories.txt"
suite histories "$BUILD/test-shared" histories
suite static "$BUILD/test-static"
if command -v valgrind > /dev/null; then
    suite valgrind valgrind --quiet --child-silent-after-fork=yes --leak-check=full \
        --errors-for-leak-kinds=definite,indirect,possible --error-exitcode=99 "$BUILD/test-static"
else
    check "valgrind" sh -c 'echo "valgrind is not installed"; exit 77'
fi
check the_header_is_the_one_that_is_generated the_header_is_the_one_that_is_generated
check cffi_reads_the_header cffi_reads_the_header
check cxx_compiles_the_header cxx_compiles_the_header
check the_example_runs the_example_runs
check an_installed_library_can_be_used an_installed_library_can_be_used

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ] && [ "$passed" != 0 ]
