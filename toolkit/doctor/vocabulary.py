"""The words that a report may hold: each occurs in the messages of many machines, so none says whose machine it is."""

# Of the sentences of toolkit that a report may hold; a test keeps them complete.
OWN = """
above abs absent add after again allowed amx an analysed and another answer answered answers apart api arch are arm
array artifact artifacts as at available avx away batch be below bench best bf bit bits bookworm boot broken build built
but by bytes calibrated calibration cannot capped cause changed check child class classes classifier clock close code
come command compiled conditions conservative container cool copy core cores cortex couldn cpu cpuinfo cpupower created
data decide deps derived descriptors device devices did differ differently differs digest digests disk divergence do
doctor does dotprod dtype duplicate each edge else emulated end ended epochs error exit export exported extra fail
failed fails fan fashion features figures file files findings firmware flags flips float folder follows for force format
found fp free freq frequency from gave gencode get getconf ghz gives glibc go golden google governor has have heat here
hold holds host hypervisor id image images imported importing in inconclusive infinite inputs install installed
instruction int interactive is it its itself json keras kernels kvm labels latency likely limit link listed litert load
long longer looking lowered lsb machine machines main makes manifest margin matter may mean measure measured meminfo
memory mend message missing mnist model module more most multiarray must name named names nan nats needs neither
neoverse newer no none nor not nothing now number numbers numpy of ok on ondemand one only onnx or os other otherwise
output outputs own package packages part parts pass path performance pi pil pillow pip platform point portability power
powersave pp predictions prints probabilities problem proc process product programs proto protobuf put python pyyaml
qemu quantization ran ranges raspberry rb read reads real recipe recommends recorded reference reinstall report result
row rows run running runs runtime runtimes same sample saturating saturation says scale schedutil schema score set sets
setuptools sha shape share signal since sink size soc soft softmax space specification split stale state status step
stronger subfolders such sudo suffice sum supply swap symbolic sys system systems table taken temp temperature tested
than that the them then there thermal this thorough those though throttled throttling time to together told took toolkit
trained training tree try trying two type under uninstall unknown until upb use userspace uses using utf validation
vendor verdict version versions virtual virtualbox vmware vnni voltage warning was wb weights were what wheel when where
which with without writes wrote xd xx yaml zero
"""

# Of what loaders, interpreters and runtimes say of broken files and packages.
SYSTEM = """
abi abort aborted access address all allocate allocation already also any argument arguments assertion attempt attempted
attribute bad been before binary block blocks buffer byte bytes call called can char character characters circular codec
column compatible compile configuration connection constant contains corrupt corrupted could create current dead decimal
decode decoder default definition delimiter denied different digits dimension dimensions directly directory disabled
division dll dlopen document double downgrade driver due dump dumped dynamic element empty enable enabled enclosed
encode encoding enough entry errno escape exceeded except exception exceptions executable execute expected expecting
experimental failure fatal fault field function generated gil got graph handle handler header if illegal implementation
import incompatibility incompatible inconsistent index indicate initialization initialize initialized initializing input
instance instead instructions integer internal interpreter invalid invoke invoked kernel key known layout lib library
libs line linker list literal loaded loader local lookup magic malformed map match matches message method mismatch
mismatched mode modules names needed negative new next nodes non null number object objects offset old older opcode open
opened operand operation operations operator operators opset option out overflow overlap parse parser parsing partially
permission permitted pointer pool position possible property protocol provider providers pyobject quota quote quotes
raised range reached reading recursion recursive referenced refused register registered reload required requires resolve
resource resources return returned rule section see segfault segment segmentation sequence session shared should sizes
stack start starting static statically string strings struct supported surrogate symbol symbols syntax target
temporarily tensor tensors terminated thread threads timed tls token too traceback trap truncated tuple types
unavailable undefined unexpected unhandled unicode unpack unrecognized unresolved unsupported unterminated upgrade usage
used valid value values variable violation while whole wide width within word write wrong zip zlib
"""

# Parts of the names of modules and libraries.
SOFTWARE = """
abseil api_version array_api bfloat blas boringssl capi cpython cuda cudart cudnn cxxabi delegate dtypes eigen
flatbuffer flatbuffers generic glibcxx gnu gpu grpc h5py hdf imaging interface interpreter libc libcublas libcudart
libcudnn libgcc libgl libgomp libm libopenblas libprotobuf libpthread libstdc linux lite mkl ml mlas multiarrays musl
npymath nvidia onednn onnxruntime openblas opencl openmp pb pyapi pybind pywrap random saved so tensorflow tensorrt tf
tflite tpu triton umath wrapper xla xnn xnnpack
"""

# Of the names of CPUs, boards, GPUs, kernels and clock governors.
HARDWARE = """
aarch advanced allwinner altra amd amlogic ampere apple arm armv atom authenticamd aws azure banana bcm beagle
beaglebone bionic black board broadcom cascadelake celeron cloud compute conservative cooperlake core cortex cpu
darwin debian default dual duo edge el embedded epyc extreme fc fedora firmware fx gcp geforce gen generation generic
genuine ghz gke gold gpu graphics graviton gtx haswell hwe icelake intel interactive iot ivybridge jetson lake laptop
lowlatency lts mhz microsoft mini mobile model module mt nano nanopc nanopi nehalem neo neoverse nvidia odroid
ondemand opteron orange orin pentium performance phenom phi pi pine platinum plus powersave preempt pro processor qemu
quad quadro qualcomm radeon radxa rapids ras raspberry raspi realtek rev rk rock rockchip rockpro rpi rpt rt rtx ryzen
sandybridge sapphire schedutil server silver silvermont six skylake snapdragon soc standard super tegra tesla th
threadripper tinker titan tm turbo ubuntu ultra userspace virtual visionfive vivante westmere with wsl xavier xeon zen
zero
"""

# Names with numbers: of architectures, instruction sets, types and libraries.
NUMBERED = """
32-bit 64-bit aarch64 amx armv6l armv7l armv8l avx-512 avx2 bf16 float16 float32 float64 fp16 i386 i686 i8mm int16 int32
int64 int8 libstdc++.so.6 numpy-1.x riscv64 sha-256 uint8 utf-8 x86_64
"""
