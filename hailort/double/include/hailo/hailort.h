// TEST DOUBLE of HailoRT, written for this project. It is not the library, and
// nothing built against it drives a device: see ../../README.md.
//
// The C part of the interface: status numbers, plain structures and constants,
// with the names and values that programs written for HailoRT 5.x use.
#pragma once

#define HAILORT_TEST_DOUBLE 1

#include <climits>
#include <cstddef>
#include <cstdint>

typedef float float32_t;

#define HAILO_MAX_DEVICE_ID_LENGTH (32)
#define HAILO_UNIQUE_VDEVICE_GROUP_ID ("UNIQUE")
#define HAILO_SCHEDULER_PRIORITY_MIN (0)
#define HAILO_SCHEDULER_PRIORITY_NORMAL (16)
#define HAILO_SCHEDULER_PRIORITY_MAX (31)
#define HAILO_RANDOM_SEED (UINT32_MAX)
#define HAILO_INFINITE (UINT32_MAX)

typedef enum {
    HAILO_SUCCESS = 0,
    HAILO_UNINITIALIZED = 1,
    HAILO_INVALID_ARGUMENT = 2,
    HAILO_OUT_OF_HOST_MEMORY = 3,
    HAILO_TIMEOUT = 4,
    HAILO_INSUFFICIENT_BUFFER = 5,
    HAILO_INVALID_OPERATION = 6,
    HAILO_NOT_IMPLEMENTED = 7,
    HAILO_INTERNAL_FAILURE = 8,
    HAILO_OPEN_FILE_FAILURE = 13,
    HAILO_FILE_OPERATION_FAILURE = 14,
    HAILO_INVALID_HEF = 26,
    HAILO_DRIVER_OPERATION_FAILED = 36,
    HAILO_SHUTDOWN_EVENT_SIGNALED = 57,
    HAILO_NOT_FOUND = 61,
    HAILO_COMMUNICATION_CLOSED = 62,
    HAILO_STREAM_ABORT = 63,
    HAILO_DRIVER_NOT_INSTALLED = 64,
    HAILO_OUT_OF_FW_MEMORY = 71,
    HAILO_DEVICE_IN_USE = 73,
    HAILO_OUT_OF_PHYSICAL_DEVICES = 74,
    HAILO_INVALID_DEVICE_ARCHITECTURE = 75,
    HAILO_INVALID_DRIVER_VERSION = 76,
    HAILO_RPC_FAILED = 77,
    HAILO_INVALID_SERVICE_VERSION = 78,
    HAILO_NOT_SUPPORTED = 79,
    HAILO_OUT_OF_HOST_CMA_MEMORY = 81,
    HAILO_QUEUE_IS_FULL = 82,
    HAILO_DRIVER_INVALID_RESPONSE = 85,
    HAILO_DRIVER_INVALID_IOCTL = 86,
    HAILO_DRIVER_TIMEOUT = 87,
    HAILO_DRIVER_INTERRUPTED = 88,
    HAILO_CONNECTION_REFUSED = 89,
    HAILO_HEF_FILE_CORRUPTED = 91,
    HAILO_HEF_NOT_SUPPORTED = 92,
    HAILO_HEF_NOT_COMPATIBLE_WITH_DEVICE = 93,
    HAILO_INVALID_HEF_USE = 94,
    HAILO_OPERATION_ABORTED = 95,
    HAILO_DEVICE_NOT_CONNECTED = 96,
    HAILO_DEVICE_TEMPORARILY_UNAVAILABLE = 97,
    HAILO_STATUS_MAX_ENUM = INT_MAX
} hailo_status;

typedef struct {
    uint32_t major, minor, revision;
} hailo_version_t;

typedef hailo_version_t hailo_firmware_version_t;

typedef struct {
    char id[HAILO_MAX_DEVICE_ID_LENGTH];
} hailo_device_id_t;

typedef enum {
    HAILO_SCHEDULING_ALGORITHM_NONE = 0,
    HAILO_SCHEDULING_ALGORITHM_ROUND_ROBIN = 1,
} hailo_scheduling_algorithm_t;

typedef struct {
    uint32_t device_count;
    hailo_device_id_t *device_ids; // kept as a pointer, as in the original
    hailo_scheduling_algorithm_t scheduling_algorithm;
    const char *group_id; // kept as a pointer, as in the original
    bool multi_process_service;
} hailo_vdevice_params_t;

typedef enum {
    HAILO_ARCH_HAILO8_A0 = 0,
    HAILO_ARCH_HAILO8 = 1,
    HAILO_ARCH_HAILO8L = 2,
    HAILO_ARCH_HAILO15H = 3,
    HAILO_ARCH_HAILO15L = 4,
    HAILO_ARCH_HAILO15M = 5,
    HAILO_ARCH_HAILO10H = 6,
    HAILO_ARCH_HAILO12L = 7,
} hailo_device_architecture_t;

// The strings have a length and no terminating zero.
typedef struct {
    uint32_t protocol_version;
    hailo_firmware_version_t fw_version;
    uint32_t logger_version;
    uint8_t board_name_length;
    char board_name[32];
    bool is_release;
    bool extended_context_switch_buffer;
    bool extended_fw_check;
    hailo_device_architecture_t device_architecture;
    uint8_t serial_number_length;
    char serial_number[16];
    uint8_t part_number_length;
    char part_number[16];
    uint8_t product_name_length;
    char product_name[42];
} hailo_device_identity_t;

typedef struct {
    float32_t ts0_temperature, ts1_temperature; // degrees Celsius
    uint16_t sample_count;
} hailo_chip_temperature_info_t;

// -1 in a field: not available.
typedef struct {
    float32_t cpu_utilization; // percent
    int64_t ram_size_total;    // KiB
    int64_t ram_size_used;     // KiB
    float32_t nnc_utilization; // percent
    int32_t ddr_noc_total_transactions;
    int32_t dsp_utilization;
} hailo_performance_stats_t;

typedef struct {
    float32_t on_die_temperature; // degrees Celsius
    int32_t on_die_voltage;       // mV
    int32_t bist_failure_mask;
} hailo_health_stats_t;

typedef enum {
    HAILO_RESET_DEVICE_MODE_CHIP = 0,
    HAILO_RESET_DEVICE_MODE_NN_CORE = 1,
    HAILO_RESET_DEVICE_MODE_SOFT = 2,
    HAILO_RESET_DEVICE_MODE_FORCED_SOFT = 3,
    HAILO_RESET_DEVICE_MODE_REBOOT = 4,
} hailo_reset_device_mode_t;

typedef enum {
    HAILO_FORMAT_TYPE_AUTO = 0,
    HAILO_FORMAT_TYPE_UINT8 = 1,
    HAILO_FORMAT_TYPE_UINT16 = 2,
    HAILO_FORMAT_TYPE_FLOAT32 = 3,
} hailo_format_type_t;

typedef enum {
    HAILO_FORMAT_ORDER_AUTO = 0,
    HAILO_FORMAT_ORDER_NHWC = 1,
    HAILO_FORMAT_ORDER_NHCW = 2,
    HAILO_FORMAT_ORDER_FCR = 3,
    HAILO_FORMAT_ORDER_NHW = 5,
    HAILO_FORMAT_ORDER_NC = 6,
    HAILO_FORMAT_ORDER_NCHW = 11,
    HAILO_FORMAT_ORDER_HAILO_NMS_WITH_BYTE_MASK = 20,
    HAILO_FORMAT_ORDER_HAILO_NMS_ON_CHIP = 21,
    HAILO_FORMAT_ORDER_HAILO_NMS_BY_CLASS = 22,
    HAILO_FORMAT_ORDER_HAILO_NMS_BY_SCORE = 23,
} hailo_format_order_t;

typedef enum {
    HAILO_FORMAT_FLAGS_NONE = 0,
    HAILO_FORMAT_FLAGS_QUANTIZED = 1 << 0,
    HAILO_FORMAT_FLAGS_TRANSPOSED = 1 << 1,
} hailo_format_flags_t;

typedef struct {
    hailo_format_type_t type;
    hailo_format_order_t order;
    hailo_format_flags_t flags;
} hailo_format_t;

typedef struct {
    uint32_t height, width, features;
} hailo_3d_image_shape_t;

typedef struct {
    uint32_t number_of_classes;
    uint32_t max_bboxes_per_class;
    uint32_t max_bboxes_total;
    uint32_t max_accumulated_mask_size;
} hailo_nms_shape_t;

// real = (quantised - qp_zp) * qp_scale
typedef struct {
    float32_t qp_zp, qp_scale;
    float32_t limvals_min, limvals_max;
} hailo_quant_info_t;

extern "C" {
hailo_status hailo_get_library_version(hailo_version_t *version);
const char *hailo_get_status_message(hailo_status status); // the name, "HAILO_TIMEOUT"
}
