weft_unit_test(session_pair "${PROJECT_SOURCE_DIR}/tests/support/h2_pair.c")
weft_unit_test(huffman)
weft_unit_test(hpack_static)
weft_unit_test(hpack_dyntab)
weft_unit_test(hpack_appendix)
weft_unit_test(hpack_stories "${PROJECT_SOURCE_DIR}/tests/support/hpack_story.c")

find_package(Python3 COMPONENTS Interpreter)
if(Python3_FOUND)
  add_test(NAME unit/hpack_tables
    COMMAND Python3::Interpreter "${PROJECT_SOURCE_DIR}/scripts/make-hpack-tables" --check)
endif()
