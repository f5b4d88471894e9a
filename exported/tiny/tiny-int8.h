/* tiny-int8: an int8 classifier for LiteRT for Microcontrollers (TFLM), written by toolkit.
 *
 * The array holds tiny-int8.tflite byte for byte: 15456 bytes, SHA-256
 * 9f788545e36d41e981e5804ae3aadcf34be20781cca9ef8c7660da6d103bec67
 *
 * Input:  pixel / 255 as int8, rows of an image one after the other, channels last:
 *         value = round((pixel / 255) / TINY_INT8_INPUT_SCALE) + TINY_INT8_INPUT_ZERO_POINT
 * Output: one int8 per class: probability = (value - TINY_INT8_OUTPUT_ZERO_POINT) * TINY_INT8_OUTPUT_SCALE
 * Operators for the resolver: CONV_2D, FULLY_CONNECTED, MEAN, SOFTMAX
 * Needs TFLM of October 2024 or later: FULLY_CONNECTED has a scale for each channel. TFLM of June to September
 * 2024 refuses it, and older TFLM computes wrong answers without a word.
 *
 * TINY_INT8_ARENA_HINT_BYTES is a lower bound of the tensor arena, computed from the file and not measured: the
 * activations that are alive at one operator, each rounded up to 16 bytes, at the operator where they
 * take most (no operator computes in place). The interpreter's own structures and the kernels' scratch memory
 * come on top: begin with more, and read MicroInterpreter::arena_used_bytes().
 * Measured where this was written: 5584 bytes in all, with tflite-micro 0.dev20261023182759, its reference kernels
 * and pointers of 8 bytes. A microcontroller has pointers of 4, and its optimized kernels other scratch memory.
 */
#ifndef TINY_INT8_H
#define TINY_INT8_H

#define TINY_INT8_ALIGNMENT_BYTES 16
#define TINY_INT8_ARENA_HINT_BYTES 2352

#define TINY_INT8_INPUT_SHAPE {1, 28, 28, 1}
#define TINY_INT8_INPUT_BYTES 784
#define TINY_INT8_INPUT_SCALE 3.92156886e-03f
#define TINY_INT8_INPUT_ZERO_POINT (-128)

#define TINY_INT8_OUTPUT_SHAPE {1, 10}
#define TINY_INT8_OUTPUT_BYTES 10
#define TINY_INT8_OUTPUT_SCALE 3.90625000e-03f
#define TINY_INT8_OUTPUT_ZERO_POINT (-128)

#ifdef __cplusplus
extern "C" {
#endif

extern const unsigned char tiny_int8_model[];
extern const unsigned int tiny_int8_model_bytes;

#ifdef __cplusplus
}
#endif

#endif
