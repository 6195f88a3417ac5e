// A photograph into the geometry of the result: what core::warp does.
//
// A frame on the device is one float4 per pixel: red, green, blue, and the
// mask (1 where the frame shows the scene, 0 where it does not).

// The same rounding on every device, and the same as on the processor.
#pragma OPENCL FP_CONTRACT OFF

// Where a pixel goes, as its distance from where it is: a float holds the
// small distance far more finely than the place itself. `across`, `down` and
// `shear` are rows of the pose, less the identity; `shear.z` is 1 or near.
float2 moved(float4 across, float4 down, float4 shear, float x, float y)
{
    float tilt = shear.x * x + shear.y * y;
    float w = tilt + shear.z;
    float2 shift = (float2)((across.x * x + across.y * y + across.z - x * tilt) / w,
                            (down.x * x + down.y * y + down.z - y * tilt) / w);
    // What is beyond any picture, or nowhere, must still fit an integer.
    return fmin(fmax(shift, -1e8f), 1e8f);
}

// True where all four pixels around (`x`, `y`) are opaque.
int opaque(__global const uchar *alpha, int width, int height, int x, int y)
{
    int x0 = clamp(x, 0, width - 1), x1 = clamp(x + 1, 0, width - 1);
    int y0 = clamp(y, 0, height - 1), y1 = clamp(y + 1, 0, height - 1);
    return alpha[y0 * width + x0] >= 128 && alpha[y0 * width + x1] >= 128
        && alpha[y1 * width + x0] >= 128 && alpha[y1 * width + x1] >= 128;
}

// What the taps of a position weigh that lies `part` of a pixel beyond one.
void taps_of(__global const float *curves, float part, float *weights)
{
    float at = part - 0.5f, square = at * at;
    for (int k = 0; k < TAPS / 2; k++) {
        __global const float *c = curves + k * COEFFICIENTS;
        float even = ((c[3] * square + c[2]) * square + c[1]) * square + c[0];
        float odd = ((c[6] * square + c[5]) * square + c[4]) * at;
        weights[k] = even + odd;
        weights[TAPS - 1 - k] = even - odd;
    }
}

// `moves` is 0 where pixels are copied, 1 where each is sampled by itself, and 2
// where columns are mixed where the line crosses them on which a row lies. `whole`
// is 1 where the frame shows the scene everywhere. `alpha` is read only where
// `has_alpha`.
#define WARP(SAMPLE)                                                                \
    __kernel void warp_##SAMPLE(                                                    \
        __global const SAMPLE *photo, int photo_width, int photo_height,            \
        __global const uchar *alpha, int has_alpha,                                 \
        __global const float *curves, int moves, int whole,                         \
        float4 across, float4 down, float4 shear, float4 gain, float4 offset,       \
        int left, int top, __global float4 *frame, int width, int height)           \
    {                                                                               \
        int x = get_global_id(0), y = get_global_id(1);                             \
        if (x >= width || y >= height) {                                            \
            return;                                                                 \
        }                                                                           \
        int px = left + x, py = top + y;                                            \
        float2 shift = moves ? moved(across, down, shear, px, py) : (float2)(0);    \
        float2 steps = floor(shift);                                                \
        int u = px + (int)steps.x, v = py + (int)steps.y;                           \
        float3 sum = (float3)(0);                                                   \
        if (moves) {                                                                \
            float at = px + shift.x, below = py + shift.y;                          \
            float slope = moves == 1 ? 0.0f                                         \
                : (down.x - below * shear.x) / (across.x + shear.z - at * shear.x); \
            float2 part = shift - steps;                                            \
            float weights_across[TAPS], weights_down[TAPS];                         \
            taps_of(curves, part.x, weights_across);                                \
            for (int i = 0; i < TAPS; i++) {                                        \
                int beside = i - TAPS / 2 + 1;                                      \
                float off = part.y + slope * (beside - part.x);                     \
                int more = (int)floor(off);                                         \
                taps_of(curves, off - more, weights_down);                          \
                int column = clamp(u + beside, 0, photo_width - 1);                 \
                float3 down_column = (float3)(0);                                   \
                for (int j = 0; j < TAPS; j++) {                                    \
                    int row = v + more + j - TAPS / 2 + 1;                          \
                    int from = clamp(row, 0, photo_height - 1) * photo_width;       \
                    float3 value = convert_float3(vload3(from + column, photo));    \
                    down_column += weights_down[j] * value;                         \
                }                                                                   \
                sum += weights_across[i] * down_column;                             \
            }                                                                       \
        } else {                                                                    \
            sum = convert_float3(vload3(py * photo_width + px, photo));             \
        }                                                                           \
        float mask = 1.0f;                                                          \
        if (!whole) {                                                               \
            int shown = shift.x >= -0.5f - px && shift.x <= photo_width - 0.5f - px \
                && shift.y >= -0.5f - py && shift.y <= photo_height - 0.5f - py;    \
            if (shown && has_alpha) {                                               \
                shown = opaque(alpha, photo_width, photo_height, u, v);             \
            }                                                                       \
            mask = shown ? 1.0f : 0.0f;                                             \
        }                                                                           \
        frame[y * width + x] = (float4)(sum * gain.xyz + offset.xyz, mask);         \
    }

WARP(uchar)
WARP(ushort)

// Notes where the frame shows the scene.
__kernel void cover(__global const float4 *frame, __global uchar *covered,
                    int width, int height)
{
    int x = get_global_id(0), y = get_global_id(1);
    if (x >= width || y >= height) {
        return;
    }
    int at = y * width + x;
    if (frame[at].w > 0.0f) {
        covered[at] = 255;
    }
}
