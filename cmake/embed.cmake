# A text file as part of a room.
#
#   holdfast_embed(ROOM FILE HEADER FUNCTION)
#
# defines `std::string_view ROOM::FUNCTION()`, declared in HEADER, as the bytes of FILE.
# The same file, run as a script at build time, writes the source.
if(CMAKE_SCRIPT_MODE_FILE)
  file(READ ${INPUT} content)
  # Compilers bound the length of one literal; neighbours are joined.
  string(LENGTH "${content}" length)
  set(literals "")
  set(at 0)
  while(at LESS length)
    string(SUBSTRING "${content}" ${at} 12000 piece)
    string(APPEND literals "R\"embedded(${piece})embedded\"\n")
    math(EXPR at "${at} + 12000")
  endwhile()
  file(WRITE ${OUTPUT} "#include \"${HEADER}\"\n\nnamespace ${ROOM} {\n\n"
    "std::string_view ${FUNCTION}() {\n  static constexpr char text[] =\n${literals};\n"
    "  return {text, sizeof text - 1};\n}\n\n}  // namespace ${ROOM}\n")
  return()
endif()

function(holdfast_embed room file header function)
  set(output ${CMAKE_BINARY_DIR}/embedded/${room}_${function}.cc)
  add_custom_command(OUTPUT ${output}
    COMMAND ${CMAKE_COMMAND} -DINPUT=${file} -DOUTPUT=${output} -DROOM=${room} -DHEADER=${header} -DFUNCTION=${function}
      -P ${CMAKE_SOURCE_DIR}/cmake/embed.cmake
    DEPENDS ${file} ${CMAKE_SOURCE_DIR}/cmake/embed.cmake VERBATIM)
  target_sources(hf_${room} PRIVATE ${output})
endfunction()
