# cmake -DOUTPUT=FILE -DFILES=FILE;... -P concatenate.cmake
set(all "")
foreach(path IN LISTS FILES)
  file(READ "${path}" text)
  string(APPEND all "${text}")
endforeach()
file(WRITE "${OUTPUT}" "${all}")
