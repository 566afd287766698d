// Listeners are the process's: what one test does, another one's would hear.
[assembly: Xunit.v3.Parallelization(Mode = Xunit.Sdk.ParallelMode.None)]
