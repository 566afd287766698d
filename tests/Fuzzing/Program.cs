using RealtimeKit.Fuzzing;

var settings = new Settings(args);
return settings.Command switch
{
    "run" when settings.Words is [var target] => Commands.Run(settings, target),
    "piece" when settings.Words is [var target] => Commands.RunPiece(settings, AllTargets.Find(target)),
    "replay" when settings.Words is [var target, .. var files] => Commands.Replay(settings, AllTargets.Find(target), files),
    "minimize" when settings.Words is [var target, .. var files] => Commands.Minimize(settings, AllTargets.Find(target), files),
    "cmin" when settings.Words is [var target] => Commands.MinimizeCorpus(settings, target),
    "cmin-piece" when settings.Words is [var target] => Commands.MinimizeCorpusOf(settings, AllTargets.Find(target)),
    "afl" when settings.Words is [var target] => Commands.RunUnderAfl(AllTargets.Find(target)),
    "instrument" when settings.Words is [var folder] => Commands.Instrument(folder),
    "log" => RunLog.Print(settings.Log, AllTargets.List, settings.CpuMinutes > 1 ? settings.CpuMinutes : 60) ? 0 : 1,
    "list" => Commands.List(),
    _ => Commands.Help(),
};
