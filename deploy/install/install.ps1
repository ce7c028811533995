<#
.SYNOPSIS
Installs the programs of ffmpeg-easy on Windows, beside the version that is there.

.DESCRIPTION
Versions lie in PREFIX\versions, and the junction PREFIX\current leads to one of them. Running programs keep their files, so
an upgrade needs no stop. The folder PREFIX\current is added to the PATH of the user. Settings, keys and scratch are left as they are.

.EXAMPLE
.\install.ps1 -From C:\Downloads\ffmpeg-easy
.EXAMPLE
.\install.ps1 -From ffmpeg-easy.zip -Service worker
.EXAMPLE
.\install.ps1 -RollBack
#>
[CmdletBinding(DefaultParameterSetName = 'Install')]
param(
    # A folder or .zip with producer.exe, worker.exe and monitor.exe. Without it, they are built from this checkout by cargo.
    [Parameter(ParameterSetName = 'Install')][string]$From,
    # Runs worker or monitor whenever this user logs on, as a scheduled task that is started again if it fails.
    [Parameter(ParameterSetName = 'Install')][ValidateSet('worker', 'monitor')][string[]]$Service = @(),
    [Parameter(ParameterSetName = 'RollBack', Mandatory)][switch]$RollBack,
    [Parameter(ParameterSetName = 'Uninstall', Mandatory)][switch]$Uninstall,
    [string]$Prefix = (Join-Path $env:LOCALAPPDATA 'Programs\ffmpeg-easy')
)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

$programs = 'producer.exe', 'worker.exe', 'monitor.exe'
$versions = Join-Path $Prefix 'versions'
$current = Join-Path $Prefix 'current'
$record = Join-Path $Prefix 'previous.txt'

function Get-Current { if (Test-Path $current) { Split-Path -Leaf (Get-Item $current).Target } }

function Set-Current([string]$version) {
    # Removing a junction leaves the folder that it leads to.
    if (Test-Path $current) { [IO.Directory]::Delete($current) }
    New-Item -ItemType Junction -Path $current -Target (Join-Path $versions $version) | Out-Null
}

function Restart-Tasks {
    foreach ($task in Get-ScheduledTask -TaskPath '\ffmpeg-easy\' -ErrorAction SilentlyContinue) {
        Stop-ScheduledTask -InputObject $task
        Start-ScheduledTask -InputObject $task
    }
}

function Install-Programs {
    $unpacked = $null
    if (-not $From) {
        if (-not (Get-Command cargo -ErrorAction SilentlyContinue)) { throw 'no cargo: install Rust, or name a folder of built programs by -From' }
        $root = Resolve-Path (Join-Path $PSScriptRoot '..\..')
        Push-Location $root
        try {
            cargo build --release --locked -p ffmpeg-easy-producer -p ffmpeg-easy-worker -p ffmpeg-easy-monitor
            if ($LASTEXITCODE -ne 0) { throw 'the build failed' }
        } finally { Pop-Location }
        $From = Join-Path $root 'target\release'
    } elseif (Test-Path $From -PathType Leaf) {
        $unpacked = Join-Path ([IO.Path]::GetTempPath()) ([Guid]::NewGuid())
        Expand-Archive $From $unpacked
        $found = Get-ChildItem $unpacked -Recurse -Filter 'producer.exe' | Select-Object -First 1
        if (-not $found) { throw "there is no producer.exe in $From" }
        $From = $found.DirectoryName
    }
    foreach ($program in $programs) {
        if (-not (Test-Path (Join-Path $From $program))) { throw "there is no $program in $From" }
    }
    $said = & (Join-Path $From 'producer.exe') --version
    if ($LASTEXITCODE -ne 0) { throw 'producer.exe does not run on this machine' }
    # Two builds of one version are two versions here.
    $digests = $programs | ForEach-Object { (Get-FileHash (Join-Path $From $_)).Hash.Substring(0, 4) }
    $version = "$(($said -split ' ')[1])-$((-join $digests).ToLower())"
    $folder = Join-Path $versions $version
    if (-not (Test-Path $folder)) {
        $part = Join-Path $versions ".$version"
        New-Item -ItemType Directory -Force $part | Out-Null
        foreach ($program in $programs) { Copy-Item (Join-Path $From $program) $part -Force }
        Rename-Item $part $version
    }
    if ($unpacked) { Remove-Item $unpacked -Recurse -Force }
    $old = Get-Current
    if ($old -ne $version) {
        if ($old) { Set-Content $record $old }
        Set-Current $version
        Restart-Tasks
    }
    $path = [Environment]::GetEnvironmentVariable('Path', 'User')
    if (($path -split ';') -notcontains $current) {
        [Environment]::SetEnvironmentVariable('Path', "$path;$current".Trim(';'), 'User')
        'install: PATH holds it from the next terminal on'
    }
    "install: version $version is in $current"
    foreach ($name in $Service) {
        $action = New-ScheduledTaskAction -Execute (Join-Path $current "$name.exe")
        $trigger = New-ScheduledTaskTrigger -AtLogOn -User $env:USERNAME
        $settings = New-ScheduledTaskSettingsSet -RestartCount 999 -RestartInterval (New-TimeSpan -Minutes 1) `
            -ExecutionTimeLimit ([TimeSpan]::Zero) -AllowStartIfOnBatteries -DontStopIfGoingOnBatteries
        Register-ScheduledTask -TaskPath '\ffmpeg-easy\' -TaskName $name -Action $action -Trigger $trigger -Settings $settings -Force | Out-Null
        Start-ScheduledTask -TaskPath '\ffmpeg-easy\' -TaskName $name
        "install: the task '\ffmpeg-easy\$name' runs"
    }
}

function Restore-Previous {
    if (-not (Test-Path $record)) { throw "there is no earlier version in $versions" }
    $back = (Get-Content $record).Trim()
    $old = Get-Current
    Set-Current $back
    Set-Content $record $old
    Restart-Tasks
    "install: version $back is in $current again (before: $old)"
}

function Remove-Programs {
    if (-not (Test-Path $versions)) { throw "nothing is installed in $Prefix" }
    foreach ($task in Get-ScheduledTask -TaskPath '\ffmpeg-easy\' -ErrorAction SilentlyContinue) {
        Stop-ScheduledTask -InputObject $task
        Unregister-ScheduledTask -InputObject $task -Confirm:$false
    }
    if (Test-Path $current) { [IO.Directory]::Delete($current) }
    Remove-Item $versions -Recurse -Force
    Remove-Item $record -ErrorAction SilentlyContinue
    $path = [Environment]::GetEnvironmentVariable('Path', 'User') -split ';' | Where-Object { $_ -ne $current }
    [Environment]::SetEnvironmentVariable('Path', ($path -join ';'), 'User')
    "install: the programs are removed; settings and keys in $env:APPDATA\ffmpeg-easy stay"
}

if ($RollBack) { Restore-Previous } elseif ($Uninstall) { Remove-Programs } else { Install-Programs }
