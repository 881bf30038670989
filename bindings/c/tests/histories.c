/* Runs the random histories that record-history has written: each as one test, on a file. */

#include "vectors_world.h"

#include "histories_table.h"

void run_histories(void) {
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) run_vector_on_a_file(&vectors[i]);
}
