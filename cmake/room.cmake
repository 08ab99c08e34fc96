# A room is a folder under src/, a namespace and a static library, all of one name.
#
#   holdfast_room(NAME [THREADED] [USES room...] [LIBS target...])
#
# makes
#   hf_NAME         the library, from every src/NAME/**.cc that is not a test
#   NAME_tests      doctest program, from every src/NAME/**_test.cc
#   probe_NAME      an empty program linked with the WHOLE room and only the rooms and
#                   libraries it admits to: a call past the list is a link error
#
# Unit tests also run under the address and undefined-behaviour sanitizers, those of THREADED rooms under the thread sanitizer.
add_custom_target(sanitized_tests)
add_custom_target(threaded_tests)
function(holdfast_sanitized target threaded)
  add_dependencies(sanitized_tests ${target})
  if(threaded)
    add_dependencies(threaded_tests ${target})
  endif()
endfunction()

# Test cases themselves are compiled quickly under a sanitizer: what they call keeps the rooms' optimisation.
function(holdfast_test_options target)
  if(HOLDFAST_SANITIZE)
    target_compile_options(${target} PRIVATE -O0)
    target_compile_definitions(${target} PRIVATE HOLDFAST_SANITIZED)   # compilers call it by different names
    if(CMAKE_CXX_COMPILER_ID MATCHES Clang)
      target_compile_options(${target} PRIVATE -Wno-sign-conversion)   # g++ does not mean that by -Wconversion
    endif()
  endif()
endfunction()

define_property(GLOBAL PROPERTY HOLDFAST_ROOMS BRIEF_DOCS "rooms" FULL_DOCS "rooms in order")

function(holdfast_room name)
  cmake_parse_arguments(ROOM "THREADED" "" "USES;LIBS" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${name}/*.cc)
  set(tests ${sources})
  list(FILTER sources EXCLUDE REGEX "_test\\.cc$")
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  set(used "")
  foreach(room IN LISTS ROOM_USES)
    list(APPEND used hf_${room})
  endforeach()

  add_library(hf_${name} STATIC ${sources})
  target_include_directories(hf_${name} PUBLIC ${CMAKE_SOURCE_DIR}/src)
  target_link_libraries(hf_${name} PUBLIC ${used} ${ROOM_LIBS} Threads::Threads)
  if(HOLDFAST_FUZZ)
    target_compile_options(hf_${name} PRIVATE -fsanitize=fuzzer-no-link)
  endif()

  if(tests)
    add_executable(${name}_tests ${tests} ${CMAKE_SOURCE_DIR}/tests/doctest_main.cc)
    target_link_libraries(${name}_tests PRIVATE hf_${name} doctest::doctest)
    target_compile_definitions(${name}_tests PRIVATE
      HOLDFAST_SOURCE_DIR="${CMAKE_SOURCE_DIR}" DOCTEST_CONFIG_NO_UNPREFIXED_OPTIONS)
    holdfast_test_options(${name}_tests)
    add_test(NAME unit/${name} COMMAND ${name}_tests)
    set(labels sanitized)
    if(ROOM_THREADED)
      list(APPEND labels threaded)
    endif()
    set_tests_properties(unit/${name} PROPERTIES TIMEOUT 900 LABELS "${labels}")
    holdfast_sanitized(${name}_tests ${ROOM_THREADED})
  endif()

  add_executable(probe_${name} ${CMAKE_SOURCE_DIR}/cmake/empty_main.cc)
  target_link_options(probe_${name} PRIVATE
    -Wl,--whole-archive $<TARGET_FILE:hf_${name}> -Wl,--no-whole-archive)
  target_link_libraries(probe_${name} PRIVATE ${used} ${ROOM_LIBS} Threads::Threads)
  add_dependencies(probe_${name} hf_${name})
  # The dependency above only orders; this one links again when the room has changed.
  set_target_properties(probe_${name} PROPERTIES LINK_DEPENDS $<TARGET_FILE:hf_${name}>)

  set_property(GLOBAL APPEND PROPERTY HOLDFAST_ROOMS ${name})
  set_property(GLOBAL PROPERTY HOLDFAST_ROOM_${name}_USES "${ROOM_USES}")
endfunction()

# The wall checks as tests. The list of rooms goes to the checker as a file, so that the build
# and the check can never disagree about who may include whom.
function(holdfast_walls)
  get_property(rooms GLOBAL PROPERTY HOLDFAST_ROOMS)
  set(lines "")
  foreach(room IN LISTS rooms)
    get_property(uses GLOBAL PROPERTY HOLDFAST_ROOM_${room}_USES)
    string(REPLACE ";" " " uses "${uses}")
    string(APPEND lines "${room}: ${uses}\n")
  endforeach()
  file(GENERATE OUTPUT ${CMAKE_BINARY_DIR}/rooms.txt CONTENT "${lines}")
  find_package(Python3 REQUIRED COMPONENTS Interpreter)
  set(walls ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/tools/walls.py
    --rooms ${CMAKE_BINARY_DIR}/rooms.txt --source ${CMAKE_SOURCE_DIR} --build ${CMAKE_BINARY_DIR})
  add_test(NAME walls/includes COMMAND ${walls} includes)
  add_test(NAME walls/symbols COMMAND ${walls} symbols)
  add_test(NAME walls/self_test COMMAND ${walls} self-test --compiler ${CMAKE_CXX_COMPILER})
endfunction()
