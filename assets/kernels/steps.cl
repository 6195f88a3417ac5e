// The steps between the levels of a pyramid: what core::plane does, on float4
// (a frame) and on float (a plane).

// The place in a row of `size` that `at`, at most two beyond it, falls on when
// mirrored at both ends.
int mirror(int at, int size)
{
    int last = size - 1;
    int inner = (int)abs(at);
    int back = inner > last ? 2 * last - inner : inner;
    return min((int)abs(back), last);
}

#define BINOMIAL(a, b, c, d, e) ((a) + (e) + 4.0f * ((b) + (d)) + 6.0f * (c))

#define STEPS(T)                                                                   \
    /* The binomial mean of the 5x5 window about a pixel. */                       \
    T soft_##T(__global const T *from, int width, int height, int x, int y)        \
    {                                                                              \
        int a = mirror(y - 2, height) * width;                                     \
        int b = mirror(y - 1, height) * width;                                     \
        int c = y * width;                                                         \
        int d = mirror(y + 1, height) * width;                                     \
        int e = mirror(y + 2, height) * width;                                     \
        T sums[5];                                                                 \
        for (int k = 0; k < 5; k++) {                                              \
            int at = mirror(x + k - 2, width);                                     \
            sums[k] = BINOMIAL(from[a + at], from[b + at], from[c + at],           \
                               from[d + at], from[e + at]);                        \
        }                                                                          \
        return BINOMIAL(sums[0], sums[1], sums[2], sums[3], sums[4]) / 256.0f;     \
    }                                                                              \
                                                                                   \
    /* Column `x` of a level, expanded to row `y` of the finer one. */             \
    T risen_##T(__global const T *from, int width, int height, int x, int y)       \
    {                                                                              \
        int row = y / 2, below = min(row + 1, height - 1);                         \
        T here = from[row * width + x], next = from[below * width + x];            \
        if (y % 2 != 0) {                                                          \
            return (here + next) / 2.0f;                                           \
        }                                                                          \
        T above = from[mirror(row - 1, height) * width + x];                       \
        return (above + next + 6.0f * here) / 8.0f;                                \
    }                                                                              \
                                                                                   \
    /* A level expanded at (`x`, `y`) of the finer one, `fine` columns wide. */    \
    T expanded_##T(__global const T *from, int width, int height, int fine,        \
                   int x, int y)                                                   \
    {                                                                              \
        int column = x / 2, after = min(column + 1, width - 1);                    \
        T here = risen_##T(from, width, height, column, y);                        \
        if (x % 2 != 0) {                                                          \
            return (here + risen_##T(from, width, height, after, y)) / 2.0f;       \
        }                                                                          \
        int before = column == 0 ? after : column - 1;                             \
        if (x == fine - 1) {                                                       \
            before = max(column - 1, 0);                                           \
            after = before;                                                        \
        }                                                                          \
        T left = risen_##T(from, width, height, before, y);                        \
        T right = risen_##T(from, width, height, after, y);                        \
        return (left + right + 6.0f * here) / 8.0f;                                \
    }                                                                              \
                                                                                   \
    /* The next level: half as wide and high, rounded up. */                       \
    __kernel void reduce_##T(__global const T *fine, int width, int height,        \
                             __global T *coarse, int columns, int rows)            \
    {                                                                              \
        int x = get_global_id(0), y = get_global_id(1);                            \
        if (x < columns && y < rows) {                                             \
            coarse[y * columns + x] = soft_##T(fine, width, height, 2 * x, 2 * y); \
        }                                                                          \
    }

STEPS(float)
STEPS(float4)

// The binomial mean about each pixel.
__kernel void window(__global const float *plane, __global float *soft,
                     int width, int height)
{
    int x = get_global_id(0), y = get_global_id(1);
    if (x < width && y < height) {
        soft[y * width + x] = soft_float(plane, width, height, x, y);
    }
}

// Divides what was summed up by its weight.
__kernel void normalise(__global float4 *sum, int width, int height)
{
    int x = get_global_id(0), y = get_global_id(1);
    if (x < width && y < height) {
        int at = y * width + x;
        float4 value = sum[at];
        sum[at] = (float4)(value.xyz / fmax(value.w, FLT_MIN), value.w);
    }
}

// Red, green and blue of each pixel of a picture in 16 bits.
__kernel void samples(__global const float4 *picture, int width, int height,
                      __global ushort *all)
{
    int x = get_global_id(0), y = get_global_id(1);
    if (x < width && y < height) {
        int at = y * width + x;
        vstore3(convert_ushort3_sat(picture[at].xyz * 65535.0f + 0.5f), at, all);
    }
}

// Adds the coarser level, expanded, to a level of detail.
__kernel void collapse(__global float4 *fine, int width, int height,
                       __global const float4 *coarse, int columns, int rows)
{
    int x = get_global_id(0), y = get_global_id(1);
    if (x < width && y < height) {
        int at = y * width + x;
        float4 value = fine[at];
        float4 more = expanded_float4(coarse, columns, rows, width, x, y);
        fine[at] = (float4)(value.xyz + more.xyz, value.w);
    }
}

// One value for every pixel.
#define FILL(T)                                                                    \
    __kernel void fill_##T(__global T *plane, int width, int height, float4 value) \
    {                                                                              \
        int x = get_global_id(0), y = get_global_id(1);                            \
        if (x < width && y < height) {                                             \
            plane[y * width + x] = (T)value.x;                                     \
        }                                                                          \
    }

FILL(uchar)
FILL(ushort)
FILL(float)

__kernel void fill_float4(__global float4 *frame, int width, int height, float4 value)
{
    int x = get_global_id(0), y = get_global_id(1);
    if (x < width && y < height) {
        frame[y * width + x] = value;
    }
}
