@echo off
rem The command line of this app: the app itself, run as plain Node.
setlocal
set ELECTRON_RUN_AS_NODE=1
"%~dp0..\..\Baton.exe" "%~dp0..\app.asar\out\main\cli.js" %*
