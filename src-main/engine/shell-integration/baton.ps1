# Baton's start-up commands for PowerShell, run after the user's own profile: marks prompts and commands (OSC 133) and reports
# the folder (OSC 7).

$Global:__BatonPrompt = $function:prompt
$Global:__BatonLastHistory = -1

function Global:prompt {
  $succeeded = $?
  $exitCode = $Global:LASTEXITCODE
  $escape = [char]27
  $bell = [char]7
  $marks = ''
  $entry = Get-History -Count 1
  if ($entry -and $entry.Id -ne $Global:__BatonLastHistory) {
    if ($Global:__BatonLastHistory -ne -1 -or $entry.Id -eq 1) {
      $code = if ($succeeded) { 0 } elseif ($exitCode) { $exitCode } else { 1 }
      $marks += "$escape]133;D;$code$bell"
    }
    $Global:__BatonLastHistory = $entry.Id
  }
  $location = $executionContext.SessionState.Path.CurrentLocation
  if ($location.Provider.Name -eq 'FileSystem') {
    $path = [uri]::EscapeDataString($location.ProviderPath.Replace('\', '/')).Replace('%2F', '/').Replace('%3A', ':')
    if (-not $path.StartsWith('/')) { $path = "/$path" }
    $marks += "$escape]7;file://$([uri]::EscapeDataString([System.Environment]::MachineName))$path$bell"
  }
  # The user's prompt must find what the command left.
  $Global:LASTEXITCODE = $exitCode
  if (-not $succeeded) { Write-Error 'failed' -ErrorAction Ignore }
  $text = & $Global:__BatonPrompt
  $Global:LASTEXITCODE = $exitCode
  "$marks$escape]133;A$bell$text$escape]133;B$bell"
}

# PSReadLine calls this for each line; without it (a plain host) commands are not marked at their start.
if (Get-Module PSReadLine) {
  $Global:__BatonReadLine = $function:PSConsoleHostReadLine
  function Global:PSConsoleHostReadLine {
    $line = & $Global:__BatonReadLine
    [Console]::Write("$([char]27)]133;C$([char]7)")
    $line
  }
}
